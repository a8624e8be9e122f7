package collect

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// sockets are those from which spans come: the listening one and its connections. On a busy machine a packet lies in one of them for longer than
// any quiet period; a trace is not complete before it has been read.
type sockets struct {
	mu  sync.Mutex
	all map[syscall.Conn]bool
}

func (s *sockets) add(c syscall.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[syscall.Conn]bool{}
	}
	s.all[c] = true
}

func (s *sockets) remove(c syscall.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, c)
}

// unread reports whether something waits in one of them: a packet, or a program that has connected. It asks the kernel and takes nothing
// (poll(2)).
func (s *sockets) unread() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.all {
		raw, err := c.SyscallConn()
		if err != nil {
			continue
		}
		n := 0
		raw.Control(func(fd uintptr) {
			n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		})
		if n > 0 {
			return true
		}
	}
	return false
}
