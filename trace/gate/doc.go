// Package gate keeps the gates of traces: the places before each step of the catalogue where a run can be stopped and looked at, or disturbed.
// It is a part of hull-trace; trace/span is the other side, in every program of a run, and client/engine the debugger's.
//
// Three parties connect to one SOCK_SEQPACKET socket (docs/seams.md, section 4):
//
//   - a step asks whether it may begin, and waits for the answer (pass.go);
//   - the debugger says what it wants to stop at and which faults strike, is told of each stop, and lets the run go on (session.go);
//   - hulld waits for the debugger's end, to remove the container of a run that was left half-way (hold.go).
//
// Who asks is the kernel's word: the pid of each packet's sender comes with it (unix(7), SO_PASSCRED). A gate is never held under a lock of this
// package, and it opens by itself when its debugger or hull-trace goes away.
package gate
