package linux

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Born appends the row in which the child clones itself and leaves: the rows after it belong to a process that is born in the pid
// namespace that the child has joined. setns(2) itself moves nobody: it says where children are born (pid_namespaces(7)). flags are
// namespaces to be made for it (CLONE_NEW…), owned by the user namespace that the child has joined, or by the one among them.
//
// CLONE_PARENT: the newborn is a child of ours, as if we had made it, and not an orphan inside. It has a copy of the memory, so that a
// process of the container which may trace it finds nothing of the runtime's to write to. The flags are those of fork(2) to a system call
// filter: clone(2), because clone3(2) hides its flags from filters, which therefore refuse it.
func (p *Program) Born(flags uint64) error {
	// mmap(2), MAP_SHARED: the kernel writes the pid, as our pid namespace numbers it, before the newborn runs (CLONE_PARENT_SETTID).
	page, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(*p.born)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	p.born = (*int32)(unsafe.Pointer(&page[0]))
	row := call("clone", unix.SYS_CLONE, Num(int(flags|unix.CLONE_PARENT|unix.CLONE_PARENT_SETTID)), Num(0), Mem(p.born), Num(0), Num(0))
	row.Leave = true
	p.Do(row)
	p.split = len(p.groups)
	return nil
}

// Newborn is the pid of the process that Born's row has made; 0 if it has not.
func (p *Program) Newborn() int {
	if p.born == nil {
		return 0
	}
	pid := *p.born
	runtime.KeepAlive(p)
	return int(pid)
}
