package namespace

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// procOf opens a process's directory in /proc, and makes sure that it is procfs: in a look-alike tree a write would give nobody a map.
func procOf(pid int) (*os.File, error) {
	dir, err := os.Open("/proc/" + strconv.Itoa(pid))
	if err != nil {
		return nil, err
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(dir.Fd()), &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		dir.Close()
		return nil, &os.PathError{Op: "open", Path: dir.Name(), Err: errors.New("not procfs")}
	}
	return dir, nil
}

// openIn opens one of the directory's files: no link, and nothing that is mounted over it.
func openIn(dir *os.File, name string, flags uint64) (*os.File, error) {
	path := filepath.Join(dir.Name(), name)
	fd, err := unix.Openat2(int(dir.Fd()), name, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func readIn(dir *os.File, name string) (string, error) {
	f, err := openIn(dir, name, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
}

// writeIn writes in one write(2): the kernel takes each as the whole.
func writeIn(dir *os.File, name, text string) error {
	f, err := openIn(dir, name, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}
