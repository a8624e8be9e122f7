package process

import (
	"unsafe"

	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Signals appends the rows after which signals act as they do on a new process: the clone has put handled ones back (CLONE_CLEAR_SIGHAND)
// but keeps ignored ones ignored and all blocked. Left out, the container's program could not be stopped.
func Signals(p *linux.Program) {
	p.At(stages.None, "signals")
	for sig := 1; sig <= 64; sig++ {
		var now [4]uint64 // struct kernel_sigaction; its first word is the handler, 1 is SIG_IGN (rt_sigaction(2))
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&now)), 8, 0, 0)
		if errno == 0 && now[0] == 1 {
			p.Do(linux.DefaultAction(sig))
		}
	}
	p.Do(linux.OpenSignals())
}

// WorkDir appends the rows that enter the working directory. It is opened beneath the root and
// entered by descriptor: a path such as /proc/self/fd/7 leads nowhere (CVE-2024-21626).
func WorkDir(p *linux.Program, cwd string, reach func(path string) *int32) {
	p.At(stages.RuncInitWorkdir, cwd)
	dir := reach(cwd)
	p.Do(linux.Fchdir(linux.FD(dir)), linux.Close(linux.FD(dir)))
}
