package gate

import (
	"encoding/json"
	"net"

	"golang.org/x/sys/unix"
)

// A conn is one connection: packets come in on a channel that is closed at its end.
type conn struct {
	*net.UnixConn
	uid uint32
	in  chan incoming
	out chan []byte   // to a debugger
	off chan struct{} // closed when nobody takes from in any more
}

type incoming struct {
	packet
	pid int
}

const maxPacket = 64 << 10

func newConn(c *net.UnixConn) *conn {
	k := &conn{UnixConn: c, uid: 65534, in: make(chan incoming), out: make(chan []byte, 256), off: make(chan struct{})}
	if raw, err := c.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			if who, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
				k.uid = who.Uid
			}
		})
	}
	go func() { // a debugger that does not read holds up nobody but itself
		for {
			select {
			case b := <-k.out:
				if _, err := k.Write(b); err != nil {
					return
				}
			case <-k.off:
				return
			}
		}
	}()
	go func() {
		defer close(k.in)
		buf, oob := make([]byte, maxPacket), make([]byte, unix.CmsgSpace(unix.SizeofUcred))
		for {
			n, oobn, flags, _, err := k.ReadMsgUnix(buf, oob)
			if err != nil || n == 0 || flags&unix.MSG_TRUNC != 0 {
				return
			}
			in := incoming{pid: senderOf(oob[:oobn])}
			if json.Unmarshal(buf[:n], &in.packet) != nil {
				return
			}
			select {
			case k.in <- in:
			case <-k.off:
				return
			}
		}
	}()
	return k
}

// senderOf is the pid that the kernel put beside the packet.
func senderOf(oob []byte) int {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if who, err := unix.ParseUnixCredentials(&m); err == nil {
			return int(who.Pid)
		}
	}
	return 0
}

// end closes the connection.
func (c *conn) end() {
	close(c.off)
	c.Close()
}

// send answers a question.
func (c *conn) send(b []byte) bool {
	_, err := c.Write(b)
	return err == nil
}

// tell hands an event to the debugger. One that has left 256 of them unread has stopped reading, and is cut off.
func (c *conn) tell(e Event) {
	select {
	case c.out <- encode(e):
	default:
		c.Close()
	}
}
