package layers

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// CopyTo copies a directory of the merged tree into dir, with owners, modes, times and extended attributes: what a volume begins with. A
// place that the image does not have leaves dir empty. Nothing outside the layers is read, and nothing outside dir is written: each name
// is opened below its directory's descriptor, and no link is followed.
func (s *Stack) CopyTo(dir, place string) error {
	at, _, mode, err := s.walk(place)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if mode&unix.S_IFMT != unix.S_IFDIR {
		return &fs.PathError{Op: "copy", Path: "/" + at, Err: unix.ENOTDIR}
	}
	to, err := os.OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer to.Close()
	return s.copyDir(at, to)
}

// copyDir copies the content and then the attributes of the directory p, so that its time is not ours.
func (s *Stack) copyDir(p string, to *os.File) error {
	parts := s.parts(p)
	entries := map[string]int{} // name → the topmost layer that says anything about it
	for _, layer := range parts {
		names, err := s.names(layer, p)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, known := entries[name]; !known {
				entries[name] = layer
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := s.copyEntry(entries[name], path.Join(p, name), name, to); err != nil {
			return fmt.Errorf("/%s: %w", path.Join(p, name), err)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return s.attributes(parts[0], p, to)
}

// parts are the layers that a directory is merged from, the topmost first.
func (s *Stack) parts(p string) (list []int) {
	for layer := range s.dirs {
		has, last := s.holds(layer, p)
		if has {
			list = append(list, layer)
		}
		if last {
			break
		}
	}
	return list
}

// holds reports whether the layer has a part of the directory, and whether it hides what the layers below have.
func (s *Stack) holds(layer int, p string) (has, last bool) {
	if p == "" {
		return true, false
	}
	for _, prefix := range prefixes(p) {
		fd, err := s.openat2(layer, prefix, unix.O_PATH|unix.O_NOFOLLOW)
		if err != nil {
			return false, last // it says nothing of it
		}
		var st unix.Stat_t
		err = unix.Fstat(fd, &st)
		opaque := isOpaque(fd)
		unix.Close(fd)
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
			return false, true
		}
		last = last || opaque
	}
	return true, last
}

func (s *Stack) names(layer int, p string) ([]string, error) {
	if p == "" {
		p = "."
	}
	fd, err := s.openat2(layer, p, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	d := os.NewFile(uintptr(fd), p)
	defer d.Close()
	return d.Readdirnames(-1)
}

// copyEntry copies one name of a directory. A whiteout is no entry; neither is a socket, which nobody listens on.
func (s *Stack) copyEntry(layer int, p, name string, to *os.File) error {
	st, err := s.openStat(layer, p)
	if err != nil {
		return err
	}
	at := int(to.Fd())
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if err := unix.Mkdirat(at, name, 0o700); err != nil {
			return err
		}
		dir, err := openBelow(at, name, unix.O_RDONLY|unix.O_DIRECTORY)
		if err != nil {
			return err
		}
		defer dir.Close()
		return s.copyDir(p, dir)
	case unix.S_IFREG:
		from, err := s.open(layer, p)
		if err != nil {
			return err
		}
		defer from.Close()
		file, err := openBelow(at, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := io.Copy(file, from); err != nil {
			return err
		}
		return s.attributes(layer, p, file)
	case unix.S_IFLNK:
		target, err := s.readlink(layer, p)
		if err == nil {
			err = unix.Symlinkat(target, at, name)
		}
		if err == nil {
			err = unix.Fchownat(at, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW)
		}
		return err
	case unix.S_IFSOCK:
		return nil
	case unix.S_IFCHR:
		if st.Rdev == 0 { // a whiteout (overlayfs.rst)
			return nil
		}
	}
	if err := unix.Mknodat(at, name, st.Mode&unix.S_IFMT|0o600, int(st.Rdev)); err != nil {
		return err
	}
	node, err := openBelow(at, name, unix.O_PATH)
	if err != nil {
		return err
	}
	defer node.Close()
	return s.attributes(layer, p, node)
}

func openBelow(at int, name string, flags int) (*os.File, error) {
	fd, err := unix.Openat(at, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	return os.NewFile(uintptr(fd), name), err
}

// attributes gives the copy its owner, mode, extended attributes and time, in that order: chown(2) takes the setuid bit and file capabilities
// away.
func (s *Stack) attributes(layer int, p string, to *os.File) error {
	if p == "" {
		p = "."
	}
	fd, err := s.openat2(layer, p, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	// An O_PATH descriptor has no calls of its own for these; its name in /proc does.
	from, self := fmt.Sprintf("/proc/self/fd/%d", fd), fmt.Sprintf("/proc/self/fd/%d", to.Fd())
	if err := unix.Chown(self, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := unix.Chmod(self, st.Mode&0o7777); err != nil {
		return err
	}
	if err := copyXattrs(from, self); err != nil {
		return err
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, self, []unix.Timespec{st.Atim, st.Mtim}, 0)
}

// copyXattrs copies all but overlay's own (overlayfs.rst) and those that the file system refuses.
func copyXattrs(from, to string) error {
	list := make([]byte, 1<<16)
	n, err := unix.Listxattr(from, list)
	if err != nil {
		return nil // none, or a file system without
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00") {
		if name == "" || strings.HasPrefix(name, "trusted.overlay.") {
			continue
		}
		value := make([]byte, 1<<16)
		n, err := unix.Getxattr(from, name, value)
		if err != nil {
			return err
		}
		if err := unix.Setxattr(to, name, value[:n], 0); err != nil && err != unix.EOPNOTSUPP {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
