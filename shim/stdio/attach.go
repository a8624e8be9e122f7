package stdio

import (
	"encoding/binary"
	"net"
	"os"
	"sync"
	"time"

	"hull/stages/instance"

	"golang.org/x/sys/unix"
)

// A frame is docker's stdcopy: one byte stream number, three zero bytes, a big-endian length, the payload.
const (
	frameHeader = 8
	maxFrame    = 32 << 10
)

// An Attach is the socket on which clients get the container's output as it comes (docs/seams.md, section 2). It writes only; input goes
// through the stdin FIFO. A nil *Attach has no clients.
type Attach struct {
	path string
	l    *net.UnixListener

	mu      sync.Mutex
	clients map[*client]struct{}
	closed  bool
}

type client struct {
	mu   sync.Mutex // a frame is one piece, whichever stream writes
	conn *net.UnixConn
}

// ListenAttach makes the socket, 0600.
func ListenAttach(path string) (*Attach, error) {
	l, err := instance.Listen("unix", path, 0o600)
	if err != nil {
		return nil, err
	}
	a := &Attach{path: path, l: l, clients: map[*client]struct{}{}}
	go a.accept()
	return a, nil
}

func (a *Attach) accept() {
	for {
		conn, err := a.l.AcceptUnix()
		if err != nil {
			return
		}
		if !sameUser(conn) {
			conn.Close()
			continue
		}
		a.mu.Lock()
		a.sweep()
		// The hello. It is sent under the lock that send takes its list with: everything read from the container after this moment
		// reaches the client. It cannot block, the socket's buffer is empty.
		hello := [frameHeader]byte{Stdout}
		if _, err := conn.Write(hello[:]); err != nil || a.closed {
			conn.Close()
		} else {
			a.clients[&client{conn: conn}] = struct{}{}
		}
		a.mu.Unlock()
	}
}

// send gives one piece of output, which begins at frame[8], to every client. It waits for slow ones, and forgets those that left.
func (a *Attach) send(stream byte, frame []byte) {
	if a == nil {
		return
	}
	a.mu.Lock()
	list := make([]*client, 0, len(a.clients))
	for c := range a.clients {
		list = append(list, c)
	}
	a.mu.Unlock()
	if len(list) == 0 {
		return
	}
	clear(frame[:frameHeader])
	frame[0] = stream
	binary.BigEndian.PutUint32(frame[4:], uint32(len(frame)-frameHeader))
	for _, c := range list {
		c.mu.Lock()
		_, err := c.conn.Write(frame)
		c.mu.Unlock()
		if err != nil {
			a.mu.Lock()
			c.conn.Close()
			delete(a.clients, c)
			a.mu.Unlock()
		}
	}
}

// sweep forgets clients that left while the container was silent. POLLHUP is both directions closed: a client that only closed its
// sending side still listens. poll(2)
func (a *Attach) sweep() {
	for c := range a.clients {
		raw, err := c.conn.SyscallConn()
		if err != nil {
			continue
		}
		gone := false
		raw.Control(func(fd uintptr) {
			p := []unix.PollFd{{Fd: int32(fd)}}
			n, err := unix.Poll(p, 0)
			gone = err == nil && n == 1 && p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
		})
		if gone {
			c.conn.Close()
			delete(a.clients, c)
		}
	}
}

// Close ends every client's stream and removes the socket.
func (a *Attach) Close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.closed = true
	// Clients whose connection the kernel has made and we have not accepted get their hello and the end, not a reset.
	a.l.SetDeadline(time.Unix(1, 0))
	a.l.Close()
	os.Remove(a.path)
	for c := range a.clients {
		c.conn.Close()
	}
	a.clients = nil
}

// sameUser reports whether the peer runs as our user. unix(7), SO_PEERCRED.
func sameUser(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	same := false
	raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		same = err == nil && int(cred.Uid) == os.Geteuid()
	})
	return same
}
