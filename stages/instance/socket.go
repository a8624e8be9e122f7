package instance

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// A socket's name in sockaddr_un has 108 bytes with its NUL (unix(7)), and a root directory may be deeper than that. Binding and
// dialling therefore go through /proc/self/fd/N/NAME, where N is an open descriptor of the socket's directory: short whatever the
// depth, and the directory cannot be exchanged in between.

// Listen makes the UNIX socket path with the given mode in a directory of mode 0700. A socket file that nobody listens on any more is
// replaced; one that answers is an error. network is "unix" or "unixpacket".
func Listen(network, path string, mode os.FileMode) (*net.UnixListener, error) {
	dirPath := filepath.Dir(path)
	if err := os.MkdirAll(dirPath, 0o700); err != nil {
		return nil, err
	}
	if c, err := Dial(context.Background(), network, path); err == nil {
		c.Close()
		return nil, fmt.Errorf("listen %s: another process answers there", path)
	}
	dir, err := os.Open(dirPath)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	short := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	if err := os.Remove(short); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	// The mode is set by the umask at bind(2), not by a later chmod: there is no moment in which others may connect.
	old := syscall.Umask(int(^mode.Perm() & 0o777))
	l, err := net.ListenUnix(network, &net.UnixAddr{Name: short, Net: network})
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("listen %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false) // the name through /proc/self/fd is gone by then; whoever made the socket removes path
	return l, nil
}

// Dial connects to the UNIX socket path.
func Dial(ctx context.Context, network, path string) (*net.UnixConn, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var d net.Dialer
	c, err := d.DialContext(ctx, network, fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", path, errnoOf(err))
	}
	return c.(*net.UnixConn), nil
}

// errnoOf keeps the cause of a net.OpError and drops its address, which names a descriptor of ours and helps nobody.
func errnoOf(err error) error {
	if op, ok := err.(*net.OpError); ok {
		return op.Err
	}
	return err
}
