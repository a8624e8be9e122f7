// Package collect is hull-trace: it takes the programs' claims (spans) and the kernel's events, lays them over each other, decides
// what is proved, and serves the result.
//
// # From an event to a verdict
//
//   - kernel.go takes events from the ring, finds the run each belongs to, and calls the readers of look.go at the moments at which a state
//     can be read back (the runtime's create begins, its create ends, its delete begins);
//   - intake.go takes packets of finished spans;
//   - tree.go computes the processes from fork, exec, exit and reparent events;
//   - join.go hangs each event under the innermost span that was open in its process at that time;
//   - prove.go holds each claim against the kernel (the rules are the catalogue's);
//   - mute.go turns what the kernel saw and nobody claimed into rows of their own;
//   - build.go calls these four in that order.
//
// A proof never takes the claim's word: from the claim come the process and the window of time, everything else from the kernel or from what
// hull-trace has read itself. Whose bundle, whose cgroup: the runtime's command line says so, as the kernel saw it.
//
// # Completeness
//
// A trace is complete when the client has left, no process of the run is alive but the client and the payload of a detached container, every
// span's parent has arrived, and then nothing more has come for a short while (end.go). The client shows it then, and leaves: its exit is the one
// event that is still taken. A detached container's trace is written when the client
// leaves, and again when the container has ended: those rows are late.
//
// cmd/hull-trace calls Main. It must not import any tier: a tracer that shares code with what it watches would share its mistakes.
package collect
