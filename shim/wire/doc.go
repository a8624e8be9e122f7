// Package wire holds the messages that the shim exchanges with containerd, as plain structs, and their protobuf encoding.
//
// Called by shim/ttrpc (Request, Response), shim/task (the Task service's messages, events) and shim/command (bootstrap, runtime info).
// The messages are containerd's (api/runtime/task/v2, api/events, …) under their own names and field names; a test compares every field
// with containerd's generated types. The encoding is ours because the generated types cost a program that is executed twice per container
// more than half of its start (docs/adr/0010-own-ttrpc-for-the-shim.md).
//
// What it must not do: import a protobuf library; fail to encode; believe a length that it was sent.
package wire
