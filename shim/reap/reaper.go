package reap

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An Exit is how a process ended. Status is its exit code, or 128 + the signal that killed it, as a shell says it.
type Exit struct {
	PID    int
	Status int
	At     time.Time

	OOMKilled bool // the kernel killed a process of the container for want of memory; the container's first process's only
}

// A Reaper waits for the children of this process.
type Reaper struct {
	mu      sync.Mutex
	owned   map[*Child]struct{}
	running int // runtimes that may still leave us children whose pids we do not know yet
}

// A Child is a process whose exit is ours to take: one we started, or one we adopted.
type Child struct {
	PID  int
	reap func(wait func() Exit)
	done chan struct{}
	exit Exit

	mu    sync.Mutex // a signal and the reaping exclude each other
	pidfd int        // -1 once reaped
}

// New starts the loop. There is one Reaper in a process.
func New() *Reaper {
	r := &Reaper{owned: map[*Child]struct{}{}}
	// SIGCHLD says that some child has changed; several deaths may come as one signal, so each signal means "look at all". The buffer of
	// one is enough for the same reason: a signal that finds it full has a look still to come. signal(7).
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, unix.SIGCHLD)
	go func() {
		for range sig {
			r.look()
		}
	}()
	return r
}

// Start runs the program at path in a new process. It opens a section that [Reaper.Settled] closes: until then no unknown
// orphan is reaped, so that a child which the program leaves behind, and which is dead already, stays a zombie and can be adopted by
// its number, which the kernel does not give away while the zombie is there.
func (r *Reaper) Start(path string, argv []string, attr *syscall.ProcAttr) (*Child, error) {
	c := &Child{pidfd: -1, done: make(chan struct{})}
	sys := &syscall.SysProcAttr{}
	if attr.Sys != nil {
		sys = attr.Sys
	}
	// CLONE_PIDFD: the descriptor is made with the process, so there is no moment in which the number could mean another one. clone(2),
	// Linux 5.2.
	sys.PidFD = &c.pidfd
	attr.Sys = sys

	r.mu.Lock() // the loop must not see the child before it is in the table
	defer r.mu.Unlock()
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return nil, fmt.Errorf("exec %s: %w", argv[0], err)
	}
	c.PID = pid
	if c.pidfd < 0 {
		return nil, fmt.Errorf("exec %s: the kernel gave no pidfd", argv[0])
	}
	r.owned[c] = struct{}{}
	r.running++
	return c, nil
}

// Started reports whether a program that Start has run is alive.
func (r *Reaper) Started() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.owned {
		if c.reap == nil {
			return true
		}
	}
	return false
}

// Settled says that all children left behind by one started program have been adopted.
func (r *Reaper) Settled() {
	r.mu.Lock()
	r.running--
	r.mu.Unlock()
	r.look()
}

// Adopt takes charge of a process that the kernel has made our child. It is called before Settled. onExit is called once, on the loop's
// goroutine, when the process is dead and not yet reaped; it calls wait exactly once and must not block otherwise.
//
// A process that is not our child (the subreaper mark came too late, or the runtime named a stranger) is an error: its status would
// never be ours.
func (r *Reaper) Adopt(pid int, onExit func(wait func() Exit)) (*Child, error) {
	// pidfd_open works on a zombie too, as long as nobody has reaped it. pidfd_open(2), Linux 5.3.
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	c := &Child{PID: pid, pidfd: fd, reap: onExit, done: make(chan struct{})}
	if _, err := c.peek(); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("process %d is not our child: %w", pid, err)
	}
	r.mu.Lock()
	r.owned[c] = struct{}{}
	r.mu.Unlock()
	r.look()
	return c, nil
}

// Wait blocks until the child has been reaped.
func (c *Child) Wait() Exit {
	<-c.done
	return c.exit
}

// Done is closed when the child has been reaped.
func (c *Child) Done() <-chan struct{} { return c.done }

// Signal sends a signal to this very process, or ESRCH. pidfd_send_signal(2), Linux 5.1.
func (c *Child) Signal(s unix.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pidfd < 0 {
		return unix.ESRCH
	}
	return unix.PidfdSendSignal(c.pidfd, s, nil, 0)
}

// look reaps every child that is dead. Unknown ones (orphans of the container's processes) are reaped too, but only while no runtime
// runs.
func (r *Reaper) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.owned {
		if dead, err := c.peek(); !dead && !errors.Is(err, unix.ECHILD) {
			continue // ECHILD cannot be, only this loop reaps; if it is, take says 255 and nobody waits for ever
		}
		if c.reap != nil {
			c.reap(c.take)
		} else {
			c.take()
		}
		delete(r.owned, c)
		close(c.done)
	}
	if r.running > 0 {
		return
	}
	for {
		pid := r.orphan()
		if pid == 0 {
			return
		}
		if _, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); err != nil {
			return
		}
	}
}

// orphan is the pid of a dead child that nobody owns, or 0. It looks without reaping (WNOWAIT): an owned child that died this very
// moment must keep its status for its owner, whose turn comes with the SIGCHLD that is on its way.
func (r *Reaper) orphan() int {
	var info siginfo
	if err := waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT); err != nil || info.pid == 0 {
		return 0
	}
	for c := range r.owned {
		if c.PID == int(info.pid) {
			return 0
		}
	}
	return int(info.pid)
}

// peek reports whether the child is dead, leaving it for take.
func (c *Child) peek() (bool, error) {
	var info siginfo
	err := waitid(unix.P_PIDFD, c.pidfd, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
	return err == nil && info.pid != 0, err
}

// take reaps the child: after this call its number is the kernel's again. waitid(2) with P_PIDFD, Linux 5.4.
func (c *Child) take() Exit {
	var info siginfo
	c.exit = Exit{PID: c.PID, Status: 255, At: time.Now()}
	if err := waitid(unix.P_PIDFD, c.pidfd, &info, unix.WEXITED); err == nil {
		c.exit.Status = int(info.status)
		if info.code != cldExited {
			c.exit.Status += 128
		}
	}
	c.mu.Lock()
	unix.Close(c.pidfd)
	c.pidfd = -1
	c.mu.Unlock()
	return c.exit
}

// siginfo is the part of siginfo_t that waitid(2) fills in for SIGCHLD; the layout is that of the 64-bit architectures.
type siginfo struct {
	signo, errno, code, _ int32
	pid                   int32
	uid                   uint32
	status                int32
	_                     [128 - 7*4]byte
}

const cldExited = 1 // CLD_EXITED: status is an exit code; otherwise it is a signal. waitid(2)

func waitid(kind, id int, info *siginfo, options int) error {
	for {
		err := unix.Waitid(kind, id, (*unix.Siginfo)(unsafe.Pointer(info)), options, nil)
		if err != unix.EINTR {
			return err
		}
	}
}
