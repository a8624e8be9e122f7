// Package layers reads single files out of an overlay's layers without mounting it: the daemon needs an image's /etc/passwd before the
// container exists, and a mount for two small files would cost more than everything else it does.
//
// It is called by daemon/engine with the mounts that containerd gave for the container's snapshot. The content is hostile: a path is
// walked component by component, a symbolic link is resolved here in text, and the kernel opens only what is a plain path below the
// layer (openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS), so nothing leads out of the image.
package layers

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/containerd/containerd/api/types"
	"golang.org/x/sys/unix"
)

const maxLinks = 40 // as many symbolic links as the kernel follows (path_resolution(7))

// A Stack is the directories of an overlay, the topmost first.
type Stack struct{ dirs []*os.File }

// Open opens the layers behind containerd's mounts for a snapshot: an overlay's, or the one directory of a bind mount.
func Open(mounts []*types.Mount) (*Stack, error) {
	if len(mounts) != 1 {
		return nil, fmt.Errorf("snapshot: %d mounts, not one", len(mounts))
	}
	var paths []string
	switch m := mounts[0]; m.Type {
	case "bind":
		paths = []string{m.Source}
	case "overlay":
		for _, o := range m.Options {
			if upper, ok := strings.CutPrefix(o, "upperdir="); ok {
				paths = append([]string{upper}, paths...)
			}
			if lower, ok := strings.CutPrefix(o, "lowerdir="); ok {
				paths = append(paths, strings.Split(lower, ":")...)
			}
		}
	default:
		return nil, fmt.Errorf("snapshot: mount of type %q", m.Type)
	}
	s := &Stack{}
	for _, p := range paths {
		d, err := os.OpenFile(p, unix.O_PATH|unix.O_DIRECTORY, 0)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.dirs = append(s.dirs, d)
	}
	return s, nil
}

// Close closes the layers.
func (s *Stack) Close() {
	for _, d := range s.dirs {
		d.Close()
	}
}

// Read opens a regular file of the merged tree. name is relative to its root.
func (s *Stack) Read(name string) (io.ReadCloser, error) {
	p, layer, mode, err := s.walk(name)
	switch {
	case err != nil:
		return nil, err
	case mode&unix.S_IFMT == unix.S_IFDIR:
		return nil, &fs.PathError{Op: "open", Path: "/" + p, Err: unix.EISDIR}
	case mode&unix.S_IFMT != unix.S_IFREG:
		return nil, &fs.PathError{Op: "open", Path: "/" + p, Err: errors.New("not a regular file")}
	}
	return s.open(layer, p)
}

// walk follows a path of the merged tree to its end, through symbolic links, and says where that is: the plain path, the topmost layer that has it,
// and what it is. Links stay inside the tree, as they do in a container.
func (s *Stack) walk(name string) (at string, layer int, mode uint32, err error) {
	todo := strings.Split(strings.Trim(name, "/"), "/")
	fail := func(p string, err error) (string, int, uint32, error) {
		return "", 0, 0, &fs.PathError{Op: "open", Path: "/" + p, Err: err}
	}
	mode = unix.S_IFDIR
	for links := 0; len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		switch next {
		case "", ".":
			continue
		case "..":
			at = strings.TrimPrefix(path.Dir("/"+at), "/")
			continue
		}
		p := path.Join(at, next)
		if layer, mode, err = s.find(p); err != nil {
			return fail(p, err)
		}
		switch mode & unix.S_IFMT {
		case unix.S_IFLNK:
			if links++; links > maxLinks {
				return fail(p, unix.ELOOP)
			}
			target, err := s.readlink(layer, p)
			if err != nil {
				return fail(p, err)
			}
			if strings.HasPrefix(target, "/") {
				at = ""
			}
			todo, mode = append(strings.Split(target, "/"), todo...), unix.S_IFDIR
		case unix.S_IFDIR:
			at = p
		default:
			if len(todo) > 0 {
				return fail(p, unix.ENOTDIR)
			}
			return p, layer, mode, nil
		}
	}
	return at, layer, mode, nil
}

// find is the topmost layer that says anything about the plain path p, and what it says (overlayfs.rst: a character device 0/0 hides
// what is below; so does every file that is not a directory, and a directory with the attribute overlay.opaque).
func (s *Stack) find(p string) (layer int, mode uint32, err error) {
	for i := range s.dirs {
		for _, prefix := range prefixes(p) {
			fd, err := s.openat2(i, prefix, unix.O_PATH|unix.O_NOFOLLOW)
			if err == unix.ENOENT {
				break // this layer says nothing about p: look below
			}
			if err != nil {
				return 0, 0, err
			}
			var st unix.Stat_t
			err = unix.Fstat(fd, &st)
			opaque := err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && isOpaque(fd)
			unix.Close(fd)
			switch {
			case err != nil:
				return 0, 0, err
			case st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == 0:
				return 0, 0, unix.ENOENT
			case prefix == p:
				return i, st.Mode, nil
			case st.Mode&unix.S_IFMT != unix.S_IFDIR:
				return 0, 0, unix.ENOTDIR
			case opaque:
				if _, err := s.openStat(i, p); err != nil {
					return 0, 0, err // nothing of it here, and nothing below counts
				}
			}
		}
	}
	return 0, 0, unix.ENOENT
}

func (s *Stack) openStat(layer int, p string) (st unix.Stat_t, err error) {
	fd, err := s.openat2(layer, p, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return st, err
	}
	defer unix.Close(fd)
	return st, unix.Fstat(fd, &st)
}

// prefixes of a/b/c: a, a/b, a/b/c.
func prefixes(p string) (all []string) {
	for i := range p {
		if p[i] == '/' {
			all = append(all, p[:i])
		}
	}
	return append(all, p)
}

// isOpaque reads the directory's attribute. An O_PATH descriptor has no xattr calls of its own; its name in /proc does.
func isOpaque(fd int) bool {
	var b [1]byte
	n, err := unix.Getxattr(fmt.Sprintf("/proc/self/fd/%d", fd), "trusted.overlay.opaque", b[:])
	return err == nil && n == 1 && b[0] == 'y'
}

func (s *Stack) openat2(layer int, p string, flags uint64) (int, error) {
	for {
		fd, err := unix.Openat2(int(s.dirs[layer].Fd()), p, &unix.OpenHow{
			Flags:   flags | unix.O_CLOEXEC,
			Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
		})
		if err != unix.EINTR && err != unix.EAGAIN { // EAGAIN: a rename raced with the walk (openat2(2))
			return fd, err
		}
	}
}

func (s *Stack) readlink(layer int, p string) (string, error) {
	fd, err := s.openat2(layer, p, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

func (s *Stack) open(layer int, p string) (io.ReadCloser, error) {
	fd, err := s.openat2(layer, p, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: "/" + p, Err: err}
	}
	return os.NewFile(uintptr(fd), p), nil
}
