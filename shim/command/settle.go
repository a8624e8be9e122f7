package command

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"hull/shim/reap"
)

// restAfter is how long nobody has called before the shim settles down.
const restAfter = 2 * time.Second

// threadsAtRest are what an idle shim needs: Go's monitor, the one that takes signals, the one that waits in epoll_wait(2), and one to
// spare.
const threadsAtRest = 4

// A settler makes an idle shim small. There is one shim for each container, and nearly all of them do nothing nearly always.
type settler struct {
	reaper *reap.Reaper

	mu    sync.Mutex
	timer *time.Timer
}

// called puts the settling off. It is called after each call that the shim has answered.
func (s *settler) called() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer == nil {
		s.timer = time.AfterFunc(restAfter, s.settle)
	} else {
		s.timer.Reset(restAfter)
	}
}

// settle gives back what a busy moment needed: pages of the heap, and threads. Go makes a thread for each system call that blocks while
// another goroutine could run, and keeps it for ever.
func (s *settler) settle() {
	debug.FreeOSMemory()
	// A thread's end is its children's parent's end to the kernel: one that asked for a signal at that moment would get it
	// (PR_SET_PDEATHSIG, prctl(2)). So not while a program that we started lives. A container's processes do not count, they are the main
	// thread's.
	if s.reaper.Started() {
		return
	}
	for surplus := threads() - threadsAtRest; surplus > 0; surplus-- {
		endThread()
	}
}

// threads counts this process's threads. proc(5), /proc/PID/task
func threads() int {
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0
	}
	return len(list)
}

// endThread ends the thread that it runs on, and an idle one takes its place: a goroutine that ends locked to its thread takes it along
// (runtime.LockOSThread).
func endThread() {
	over := make(chan struct{})
	go func() {
		defer close(over)
		runtime.LockOSThread()
	}()
	<-over
}
