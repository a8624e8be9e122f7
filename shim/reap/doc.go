// Package reap is the shim's parenthood: it makes the shim a child subreaper, waits for its children and writes the container's exit
// down. shim/command calls Subreaper first thing; shim/runtime runs the runtime through a Reaper; shim/task adopts the container's
// processes.
//
// One goroutine waits for everything (reaper.go). A child is known by its pidfd, never by its number, and is waited for by pidfd: a pid
// that the kernel gives away a second time cannot be mistaken for ours.
//
// Nothing else in the process may wait for children: os/exec would race with the loop for statuses.
package reap
