package networktest

import (
	"bufio"
	"io"
	"net"
	"strings"
)

// Serve answers at a TCP address of the namespace until the test ends: each connection is first told who it seems to be, then gets back
// whatever it sends.
func (n *Namespace) Serve(address string) {
	n.t.Helper()
	l, err := n.Listen("tcp4", address)
	if err != nil {
		n.t.Fatalf("listen %s: %v", address, err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				io.WriteString(c, host+"\n")
				io.Copy(c, c)
			}()
		}
	}()
}

// ServeUDP answers each datagram at a UDP address of the namespace with the sender's address.
func (n *Namespace) ServeUDP(address string) {
	n.t.Helper()
	var c net.PacketConn
	err := n.Do(func() (err error) { c, err = net.ListenPacket("udp4", address); return err })
	if err != nil {
		n.t.Fatalf("listen %s: %v", address, err)
	}
	n.t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 100)
		for {
			_, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(from.String())
			c.WriteTo([]byte(host), from)
		}
	}()
}

// A Conn is a connection to what Serve started.
type Conn struct {
	net.Conn
	r *bufio.Reader
	// From is who the server believes to talk to.
	From string
}

// Reach connects to what Serve started, from inside the namespace.
func (n *Namespace) Reach(address string) (*Conn, error) {
	c, err := n.Dial("tcp4", address)
	if err != nil {
		return nil, err
	}
	n.t.Cleanup(func() { c.Close() })
	conn := &Conn{Conn: c, r: bufio.NewReader(c)}
	conn.From, err = conn.line()
	return conn, err
}

// Echo sends a line and returns what comes back.
func (c *Conn) Echo(text string) (string, error) {
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		return "", err
	}
	return c.line()
}

func (c *Conn) line() (string, error) {
	c.SetReadDeadline(deadline())
	line, err := c.r.ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// ReachUDP asks what ServeUDP started who it is.
func (n *Namespace) ReachUDP(address string) (string, error) {
	c, err := n.Dial("udp4", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := c.Write([]byte("who am I")); err != nil {
		return "", err
	}
	buf := make([]byte, 100)
	c.SetReadDeadline(deadline())
	got, err := c.Read(buf)
	return string(buf[:got]), err
}
