package linux

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cloneArgs is struct clone_args (clone3(2), Linux 5.3; cgroup: 5.7).
type cloneArgs struct {
	flags, pidFD, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// Spawn clones this process into new namespaces (flags: CLONE_NEW…) and lets the child run the program. With cgroup ≥ 0 the child is
// born in that cgroup v2 directory (CLONE_INTO_CGROUP). It returns the child's pid in our pid namespace and a pidfd of it.
//
// clone(2) copies the calling thread only. What makes that safe in a Go program: all signals are blocked around it, so that no handler of
// the Go runtime runs in the child; syscall.ForkLock keeps other forks away; the child's code is one nosplit function that neither
// allocates nor grows its stack. CLONE_CLEAR_SIGHAND (Linux 5.5) gives the child default dispositions, so that the Go runtime's handlers
// are gone before its signal mask is opened.
func (p *Program) Spawn(flags uint64, cgroup int) (pid, pidfd int, err error) {
	fd := int32(-1)
	args := &cloneArgs{flags: flags | unix.CLONE_PIDFD | unix.CLONE_CLEAR_SIGHAND, exitSignal: uint64(unix.SIGCHLD)}
	pidfdCell := &fd
	args.pidFD = uint64(uintptr(unsafe.Pointer(pidfdCell)))
	if cgroup >= 0 {
		args.flags |= unix.CLONE_INTO_CGROUP
		args.cgroup = uint64(cgroup)
	}

	runtime.LockOSThread() // the signal mask is the thread's
	defer runtime.UnlockOSThread()
	var all, old unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	syscall.ForkLock.Lock()
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &old); err != nil {
		syscall.ForkLock.Unlock()
		return 0, -1, fmt.Errorf("rt_sigprocmask: %w", err)
	}
	n, errno := cloneAndRun(args, unsafe.Pointer(&p.Rows[0]), p.Report, p.record)
	unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	syscall.ForkLock.Unlock()
	runtime.KeepAlive(p) // the rows and all they point to, until the child has its copy
	runtime.KeepAlive(pidfdCell)
	if errno != 0 {
		return 0, -1, fmt.Errorf("clone3: %w", errno)
	}
	return int(n), int(fd), nil
}

// cloneAndRun returns in the parent only. In the child it is the whole program: it walks the rows until an execve succeeds or a row
// fails. Nothing here may be a call that checks the stack, a write of a pointer, or an allocation.
//
//go:nosplit
//go:norace
//go:noinline
func cloneAndRun(args *cloneArgs, rows unsafe.Pointer, report *int32, record *[recordSize / 4]uint32) (uintptr, syscall.Errno) {
	pid, _, errno := syscall.RawSyscall6(unix.SYS_CLONE3, uintptr(unsafe.Pointer(args)), unsafe.Sizeof(*args), 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	for pc := 0; ; {
		row := (*Row)(unsafe.Add(rows, uintptr(pc)*unsafe.Sizeof(Row{})))
		var a [6]uintptr
		for i := 0; i < 6; i++ {
			switch arg := &row.Args[i]; {
			case arg.Ptr == nil:
				a[i] = arg.Value
			case arg.Value == cell:
				a[i] = uintptr(int(*(*int32)(arg.Ptr)))
			default:
				a[i] = uintptr(arg.Ptr)
			}
		}
		var result uintptr
		why := uint32(0)
		if row.gate != nil && row.gate[0] != 0 {
			errno, why = syscall.Errno(row.gate[0]), uint32(row.gate[1])
		} else if row.NR == Fail {
			errno = syscall.Errno(a[0])
		} else {
			result, _, errno = syscall.RawSyscall6(row.NR, a[0], a[1], a[2], a[3], a[4], a[5])
		}
		if errno == 0 {
			if row.Out != nil {
				*row.Out = int32(result)
			}
			pc += 1 + row.Then
			continue
		}
		if errno == unix.EINTR && why == 0 {
			continue
		}
		excepted := false
		for i := 0; i < len(row.Except); i++ {
			if row.Except[i] == errno || row.Except[i] == Any {
				excepted = true
			}
		}
		if !excepted || row.Warn {
			record[0], record[1], record[2], record[3] = uint32(pc), uint32(errno), failed|why<<16, uint32(row.Step)
			if excepted {
				record[2] = warned
			}
			syscall.RawSyscall6(unix.SYS_WRITE, uintptr(int(*report)), uintptr(unsafe.Pointer(record)), recordSize, 0, 0, 0)
		}
		if !excepted {
			code := uintptr(1)
			if row.Exit != 0 {
				code = uintptr(row.Exit)
			}
			for {
				syscall.RawSyscall6(unix.SYS_EXIT_GROUP, code, 0, 0, 0, 0, 0)
			}
		}
		if row.gone != nil {
			*row.gone = 1
		}
		pc += 1 + row.Else
	}
}
