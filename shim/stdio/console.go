package stdio

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"hull/stages/instance"

	"golang.org/x/sys/unix"
)

// A Console waits for the runtime to send a terminal's master side. The runtime makes the pair inside the container's devpts, so that its
// name is true in there, and passes the master over a UNIX socket (SCM_RIGHTS, unix(7)).
type Console struct {
	path string
	l    *net.UnixListener
	dir  *os.File // the socket's directory, open while Path may be a name through it
}

// ListenConsole makes the console socket in a directory of the shim's, 0600.
func ListenConsole(path string) (*Console, error) {
	l, err := instance.Listen("unix", path, 0o600)
	if err != nil {
		return nil, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		l.Close()
		os.Remove(path)
		return nil, err
	}
	return &Console{path, l, dir}, nil
}

// Path is what the runtime gets as --console-socket. The runtime dials it as it is, and a socket's name has at most 107 bytes: a deeper
// one is reached through our own descriptor table.
func (c *Console) Path() string {
	if len(c.path) <= 107 {
		return c.path
	}
	return fmt.Sprintf("/proc/%d/fd/%d/%s", os.Getpid(), c.dir.Fd(), filepath.Base(c.path))
}

// Receive takes the master. The runtime has returned successfully, so the message is there already; a runtime that sent none is an error
// at once.
func (c *Console) Receive() (*os.File, error) {
	c.l.SetDeadline(time.Now().Add(2 * time.Second))
	conn, err := c.l.AcceptUnix()
	if err != nil {
		return nil, errors.New("the runtime sent no terminal")
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 4096), oob) // the data is the terminal's name
	if err != nil {
		return nil, fmt.Errorf("console socket: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return nil, errors.New("console socket: no descriptor in the message")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.New("console socket: not one descriptor in the message")
	}
	unix.CloseOnExec(fds[0])
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "console"), nil
}

// Close removes the socket.
func (c *Console) Close() {
	c.l.Close()
	os.Remove(c.path)
	c.dir.Close()
}

// resize sets a terminal's window and, by the kernel's doing, signals SIGWINCH to its foreground. ioctl_tty(2), TIOCSWINSZ.
func resize(master *os.File, width, height uint16) error {
	raw, err := master.SyscallConn()
	if err != nil {
		return err
	}
	var ioctl error
	err = raw.Control(func(fd uintptr) {
		ioctl = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width})
	})
	return errors.Join(err, ioctl)
}
