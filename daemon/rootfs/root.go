// Package rootfs reads and writes a container's file system from outside, for cp and export.
//
// daemon/engine calls it. A root is one descriptor of a directory, and everything is resolved below it by the kernel (openat2(2),
// RESOLVE_IN_ROOT): a link in the container means what it means there, and nothing the container does to its names while we look at them
// leads out. No path is resolved twice: a walk goes from directory descriptor to directory descriptor and follows no link.
//
// The root of a running container is its own (/proc/PID/root). That of a stopped one is mounted for the occasion in a mount namespace of
// one thread, and only the descriptor of the finished tree survives the thread: nobody sees the mount, and when the descriptor is closed, by
// us or by the kernel after a kill, it is gone (docs/adr/0013-stopped-roots.md).
package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Root is a container's root directory.
type Root struct{ fd int }

// Running opens the root of the process, as it sees it. The caller makes sure that pid is still the container's afterwards: a pid can be
// given to another process.
func Running(pid int) (*Root, error) {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/root", pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("root of process %d: %w", pid, err)
	}
	return &Root{fd}, nil
}

// Close lets go of the root. One that was mounted for us goes with it.
func (r *Root) Close() error { return unix.Close(r.fd) }

// open resolves name below the root. Links are followed inside it; the last component's only if flags say nothing else.
func (r *Root) open(name string, flags uint64) (int, error) {
	return openat2(r.fd, name, flags, unix.RESOLVE_IN_ROOT)
}

// openat2 is openat2(2), again where a rename raced with the walk. No link of /proc is ever followed: those lead anywhere (proc(5)).
func openat2(dir int, name string, flags, resolve uint64) (int, error) {
	if name == "" {
		name = "."
	}
	for try := 0; ; try++ {
		fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: resolve | unix.RESOLVE_NO_MAGICLINKS})
		if (err == unix.EAGAIN || err == unix.EINTR) && try < 1000 {
			continue
		}
		return fd, err
	}
}

// clean makes a user's word for a path in the container absolute. What it says about being a directory (a / or /. at its end) is kept.
func clean(name string) string {
	c := path.Clean("/" + name)
	switch {
	case c == "/":
	case strings.HasSuffix(name, "/.") || name == ".":
		c += "/."
	case strings.HasSuffix(name, "/"):
		c += "/"
	}
	return c
}

// A Stat is what docker's client wants to know of a path before it copies (definition ContainerPathStat).
type Stat struct {
	Name       string      `json:"name"`
	Size       int64       `json:"size"`
	Mode       fs.FileMode `json:"mode"`
	Mtime      time.Time   `json:"mtime"`
	LinkTarget string      `json:"linkTarget"` // where a symbolic link leads inside the container, resolved
}

// Stat tells of a path. A symbolic link at its end is not followed, unless the path ends in a slash.
func (r *Root) Stat(name string) (Stat, error) {
	name = clean(name)
	parent, base := path.Split(name)
	if base == "." || base == "" {
		parent, base = name, "."
	}
	dir, err := r.open(parent, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return Stat{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return Stat{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	s := Stat{Name: path.Base(name), Size: st.Size, Mode: fileMode(st.Mode), Mtime: time.Unix(st.Mtim.Unix())}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if s.LinkTarget, err = r.resolve(dir, base, parent); err != nil {
			return s, &fs.PathError{Op: "readlink", Path: name, Err: err}
		}
	}
	return s, nil
}

// resolve says where a link leads, as an absolute path in the container: the link's own word, made absolute. What of it are links again is
// for the next Stat.
func (r *Root) resolve(dir int, base, parent string) (string, error) {
	target, err := readlinkat(dir, base)
	if err != nil || path.IsAbs(target) {
		return path.Clean(target), err
	}
	return path.Join(parent, target), nil
}

func readlinkat(dir int, base string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, base, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// fileMode is the kernel's mode in Go's form, which is what docker's API carries.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		m |= fs.ModeDir
	case unix.S_IFLNK:
		m |= fs.ModeSymlink
	case unix.S_IFIFO:
		m |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		m |= fs.ModeSocket
	case unix.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		m |= fs.ModeDevice
	}
	for bit, flag := range map[uint32]fs.FileMode{unix.S_ISUID: fs.ModeSetuid, unix.S_ISGID: fs.ModeSetgid, unix.S_ISVTX: fs.ModeSticky} {
		if mode&bit != 0 {
			m |= flag
		}
	}
	return m
}

// IsNotExist reports whether an error says that a path is not there.
func IsNotExist(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) }
