// Package process writes the rows that make the container's first process who and where it is to be: terminal, user, working directory,
// signals, and the program it becomes.
package process
