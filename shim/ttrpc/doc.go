// Package ttrpc is the protocol between containerd and its shims, as far as a shim needs it: a server of unary calls, and a client that
// makes one call after another. The specification is ttrpc's PROTOCOL.md; the messages inside the frames are shim/wire's Request and
// Response.
//
// Called by shim/command, which serves shim/task's methods, and by shim/task's Publisher. Tests run it against the real ttrpc in both
// roles. It is ours because the real one brings gRPC's status, protobuf's reflection and a logger into a program that is executed twice
// per container (docs/adr/0010-own-ttrpc-for-the-shim.md).
//
// What it must not do: take a message of more than 4 MiB, or a connection of another user's; lose the answer to a call because the server
// ends; make one call wait for another.
package ttrpc
