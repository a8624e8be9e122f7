// Package linux is the thin edge between hull-runc and the kernel: a program made of system calls, and the raw child that runs it.
//
// The container's first process must do about a hundred system calls, inside namespaces that only it is in, between clone(2) and
// execve(2). A Go program cannot simply fork: the child would have one thread and a runtime that expects several. Other runtimes
// therefore execute themselves a second time. Here the parent writes down the calls in ordinary Go, as a table of rows ([Row] in a
// [Program]); the child ([Program.Spawn]) is a raw clone that walks the table in one small loop which allocates nothing, grows no stack
// and calls nothing but the kernel.
//
// So the table is the order of set-up, the dry run (hull-runc plan), the error message (which row, which errno) and what the kernel's
// own record is held against, all in one.
//
// The rules for rows: everything they need is known before the clone, except descriptors, which an earlier row leaves in a cell; nothing
// that they point to is changed or freed afterwards, because the child may share the parent's memory (or have a copy: only what lies on
// a shared page, as [Program.Clock]'s times do, is seen by the parent in both cases); a jump stays within its step.
package linux
