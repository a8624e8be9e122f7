package process

import (
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Dial connects to a stream socket by its path. A socket's name has room for 107 bytes (unix(7)): it goes by the directory's descriptor,
// whatever the depth.
func Dial(path string) (fd int, err error) {
	dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	if fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(dir) + "/" + filepath.Base(path)}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Pass sends a text over a connected socket, with one descriptor beside its first byte (unix(7), SCM_RIGHTS).
func Pass(socket int, text []byte, fd int) error {
	rights := unix.UnixRights(fd)
	for len(text) > 0 {
		n, err := unix.SendmsgN(socket, text, rights, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("sendmsg: %w", err)
		}
		text, rights = text[n:], nil
	}
	return nil
}
