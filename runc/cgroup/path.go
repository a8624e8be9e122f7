package cgroup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// components checks a spec's cgroupsPath and splits it. absolute means below each hierarchy's mount point; a relative path lies below
// the caller's own group (OCI runtime-spec, config-linux.md, Cgroups Path).
func components(cgroupsPath string) (names []string, absolute bool, err error) {
	if strings.Count(cgroupsPath, ":") == 2 && !strings.Contains(cgroupsPath, "/") {
		return nil, false, errors.New("slice:prefix:name is the systemd driver's form, and that driver is not offered")
	}
	for name := range strings.SplitSeq(cgroupsPath, "/") {
		switch {
		case name == "" || name == ".":
		case name == "..":
			return nil, false, errors.New(`".." leads out of the hierarchy`)
		case len(name) > unix.NAME_MAX:
			return nil, false, fmt.Errorf("a name of %d bytes, of which %d are allowed", len(name), unix.NAME_MAX)
		case strings.ContainsAny(name, "\n\x00"):
			return nil, false, errors.New("a name with a newline or NUL")
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, false, errors.New("it names no group of its own")
	}
	return names, strings.HasPrefix(cgroupsPath, "/"), nil
}

// below is the list of directories from the hierarchy's mount point down to the group.
func (h hierarchy) below(names []string, absolute bool) []string {
	if absolute {
		return names
	}
	own := h.own
	if h.version == 2 {
		// The caller's own group has a process, the caller, and so may not enable controllers for children ("no internal processes",
		// cgroup-v2.rst): the container's group becomes its sibling.
		own = path.Dir(own)
	}
	var all []string
	if rel, ok := strings.CutPrefix(own, strings.TrimSuffix(h.root, "/")); ok {
		for name := range strings.SplitSeq(rel, "/") {
			if name != "" && name != "." && name != ".." { // ".." shows a place outside our cgroup namespace
				all = append(all, name)
			}
		}
	}
	return append(all, names...)
}

// openDir opens a cgroup directory. openat2(2) refuses symbolic links on the way, and fstatfs(2) tells whether the kernel's cgroup file
// system is really there: a look-alike tree of plain files would swallow every limit.
func openDir(dir string) (*os.File, error) {
	f, err := openat2(unix.AT_FDCWD, dir, dir, unix.O_RDONLY|unix.O_DIRECTORY, unix.RESOLVE_NO_SYMLINKS)
	if err != nil {
		return nil, err
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
		f.Close()
		return nil, &os.PathError{Op: "fstatfs", Path: dir, Err: err}
	}
	if fs.Type != unix.CGROUP_SUPER_MAGIC && fs.Type != unix.CGROUP2_SUPER_MAGIC {
		f.Close()
		return nil, &os.PathError{Op: "open", Path: dir, Err: errors.New("not a cgroup file system")}
	}
	return f, nil
}

// openIn opens name inside dir: not above it, through no symbolic link, on no other file system.
func openIn(dir *os.File, name string, flags uint64) (*os.File, error) {
	return openat2(int(dir.Fd()), name, path.Join(dir.Name(), name), flags,
		unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS|unix.RESOLVE_NO_XDEV)
}

func openat2(at int, name, label string, flags, resolve uint64) (*os.File, error) {
	for {
		fd, err := unix.Openat2(at, name, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: resolve})
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), label), nil
		case unix.EINTR, unix.EAGAIN: // EAGAIN: a rename or mount elsewhere made the check uncertain; openat2(2) says to try again
		default:
			return nil, &os.PathError{Op: "open", Path: label, Err: err}
		}
	}
}

// read is the content of one of the group's files.
func read(dir *os.File, file string) (string, error) {
	f, err := openIn(dir, file, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	return strings.TrimSpace(string(text)), err
}

// write gives one of the group's files a value, in one write(2): the kernel takes each write as a whole command.
func write(dir *os.File, file, value string) error {
	f, err := openIn(dir, file, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value)
	return err
}
