// Package container is the life of one container as the runtime sees it: created by a program of system calls, started through a FIFO,
// signalled, deleted. runc/command calls it, one function per verb.
//
// No process of the runtime stays. What a later verb must know is in ROOT/ID/state.json; what a container's status is comes from the
// kernel each time (its pid, that pid's start time, and whether the FIFO still waits), never from the file.
//
//	ROOT/ID/state.json   0600: see [State]
//	ROOT/ID/exec.fifo    0600: the first process blocks opening it, until start opens the other end; start removes it
//
// init.go is the part to read first: the order of set-up as one list.
package container
