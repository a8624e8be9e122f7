package linux

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Listen is a row that loads a system call filter with a listener (seccomp_unotify(2), SECCOMP_FILTER_FLAG_NEW_LISTENER, Linux 5.0), and the
// rows that hand the listener over: its number goes to the report's other end, which takes the descriptor (pidfd_getfd(2)) and answers.
// Until the answer comes the child waits: execve(2) closes the listener, and a filter without one lets no call through that it asks about.
//
// The first row after the load is the write, and nothing comes between them: whoever decides about this process's calls cannot be asked yet. So
// a filter must not ask about write(2). Everything from the read on may be asked about.
func (p *Program) Listen(load Row) []Row {
	const none = 1<<32 - 1
	rec := &[recordSize / 4]uint32{1: none, 2: listening}
	listener := (*int32)(unsafe.Pointer(&rec[1]))
	load.Out = listener
	tell := call("write", unix.SYS_WRITE, FD(p.Report), Mem(rec), Num(recordSize))
	tell.direct = true
	answer := call("read", unix.SYS_READ, FD(p.Report), Mem(new(byte)), Num(1))
	return []Row{load, tell, answer, Close(FD(listener)).Or(Any)}
}
