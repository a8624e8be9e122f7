package linux

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cloneArgs is struct clone_args (clone3(2), Linux 5.3; cgroup: 5.7).
type cloneArgs struct {
	flags, pidFD, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// A child is what the raw child works on.
type child struct {
	rows   unsafe.Pointer
	report *int32
	record *[recordSize / 4]uint32
	stack  []byte // with shared memory; without, it goes on on a copy of ours
	pidfd  int32  // the kernel writes it: so not on the parent's stack, which the Go runtime may move before the call
}

// stackSize is far more than run and what it calls need: a nosplit chain has some hundred bytes.
const stackSize = 16 << 10

// Spawn clones this process into new namespaces (flags: CLONE_NEW…) and lets the child run the program. With cgroup ≥ 0 the child is
// born in that cgroup v2 directory (CLONE_INTO_CGROUP). It returns the child's pid in our pid namespace and a pidfd of it.
//
// clone(2) copies the calling thread only. What makes that safe in a Go program: all signals are blocked around it, so that no handler of
// the Go runtime runs in the child; syscall.ForkLock keeps other forks away; the child's code is one nosplit function that neither
// allocates nor grows its stack. CLONE_CLEAR_SIGHAND (Linux 5.5) gives the child default dispositions, so that the Go runtime's handlers
// are gone before its signal mask is opened.
//
// The child shares our memory (CLONE_VM) where it can: copying the page tables of a Go process, and then each page that either side
// writes, costs more than all that the child does. It has a stack of its own, and execve(2) gives it a memory of its own. Our exit does
// not disturb it: the memory lives as long as one of the two does.
func (p *Program) Spawn(flags uint64, cgroup int) (pid, pidfd int, err error) {
	c := &child{rows: unsafe.Pointer(&p.Rows[0]), report: p.Report, record: p.record, pidfd: -1}
	args := &cloneArgs{flags: flags | unix.CLONE_PIDFD | unix.CLONE_CLEAR_SIGHAND, exitSignal: uint64(unix.SIGCHLD)}
	args.pidFD = uint64(uintptr(unsafe.Pointer(&c.pidfd)))
	if cgroup >= 0 {
		args.flags |= unix.CLONE_INTO_CGROUP
		args.cgroup = uint64(cgroup)
	}
	shared := canShare && !p.Copy
	if shared {
		c.stack = make([]byte, stackSize)
		args.flags |= unix.CLONE_VM
		args.stack = uint64(uintptr(unsafe.Pointer(&c.stack[0]))+15) &^ 15
		args.stackSize = stackSize - 64
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
	var n, errno uintptr
	if shared {
		keep(p, c)
		n, errno = cloneShared(args, unsafe.Sizeof(*args), c)
	} else {
		n, errno = cloneCopied(args, c)
	}
	unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	syscall.ForkLock.Unlock()
	runtime.KeepAlive(p) // the rows and all they point to, until the child has its copy
	runtime.KeepAlive(c)
	if errno != 0 {
		return 0, -1, fmt.Errorf("clone3: %w", syscall.Errno(errno))
	}
	return int(n), int(c.pidfd), nil
}

// kept holds what children that share our memory still read: when one of them has executed its program is not known here, so nothing is
// ever taken out. A runtime spawns one child and exits.
var kept struct {
	sync.Mutex
	all []any
}

func keep(p *Program, c *child) {
	kept.Lock()
	defer kept.Unlock()
	kept.all = append(kept.all, p, c)
}

// cloneCopied returns in the parent only. The child has a copy of this stack and all other memory.
//
//go:nosplit
//go:norace
//go:noinline
func cloneCopied(args *cloneArgs, c *child) (pid, errno uintptr) {
	pid, _, e := syscall.RawSyscall6(unix.SYS_CLONE3, uintptr(unsafe.Pointer(args)), unsafe.Sizeof(*args), 0, 0, 0, 0)
	if e == 0 && pid == 0 {
		run(c)
	}
	return pid, uintptr(e)
}

// maxAgain is how often a child walks a path once more because something moved meanwhile.
const maxAgain = 100_000

// run is the whole program of a child: it walks the rows until an execve succeeds or a row fails. Nothing here may be a call that checks
// the stack, a write of a pointer, or an allocation.
//
//go:nosplit
//go:norace
//go:noinline
func run(c *child) {
	rows, report, record := c.rows, c.report, c.record
	var errno syscall.Errno
	again := 0 // of all rows
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
		} else if row.NR == FailIf {
			errno = 0
			if *(*uint64)(row.Args[1].Ptr) == uint64(a[2]) {
				errno = syscall.Errno(a[0])
			}
		} else {
			result, _, errno = syscall.RawSyscall6(row.NR, a[0], a[1], a[2], a[3], a[4], a[5])
		}
		if errno == 0 {
			if row.Out != nil {
				*row.Out = int32(result)
			}
			for row.Leave && result != 0 {
				syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0)
			}
			pc += 1 + row.Then
			continue
		}
		// EAGAIN of openat2(2): a rename somewhere on the machine made its check uncertain, and it says to try again.
		if (errno == unix.EINTR || errno == unix.EAGAIN && row.NR == unix.SYS_OPENAT2) && why == 0 {
			continue
		}
		// openat2(2): a rename or mount anywhere on the machine while a ".." was walked. Not for ever: somebody may do nothing else.
		if errno == unix.EAGAIN && row.NR == unix.SYS_OPENAT2 && again < maxAgain {
			again++
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
