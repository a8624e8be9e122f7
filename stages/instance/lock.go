package instance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"hull/stages"
)

// Each long-lived binary holds a lock on its pid file while it lives. The lock, not the number, says that the process is there: a pid is
// used again after a while. The kernel gives the lock back at exit, however that comes, so a stale file locks nobody out.
//
// It is an open-file-description lock (fcntl(2) F_OFD_SETLK, Linux 3.15) and not flock(2)'s, because it can be asked about without being
// taken: a `hull status` at the wrong moment must not keep a daemon from starting.

// A Lock is a pid file that this process holds.
type Lock struct{ f *os.File }

// ErrHeld means that a living process holds the lock.
var ErrHeld = errors.New("another process runs already")

// Hold locks the pid file and writes this process's pid and address into it, one a line. The directory is made 0700 if it is missing.
func Hold(file, address string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) // no O_TRUNC: until the lock is ours, what stands in it is another's
	if err != nil {
		return nil, err
	}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		pid := readPID(f)
		f.Close()
		return nil, &stages.Error{
			Kind: stages.Conflict, Thing: file, Err: fmt.Errorf("%w, pid %d", ErrHeld, pid), Hint: "use that one, or choose another --root",
		}
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n%s\n", os.Getpid(), address), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", file, err)
	}
	return &Lock{f}, nil
}

// Release gives the lock back. The file stays: to remove it could pull it from under one who has just opened it.
func (l *Lock) Release() { l.f.Close() }

// Holder reads a pid file: the pid in it, and whether its writer still lives. No file is a process that does not live.
func Holder(file string) (pid int, alive bool, err error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_RDLCK} // would a read lock be granted?
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock); err != nil {
		return 0, false, fmt.Errorf("%s: fcntl: %w", file, err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, false, nil
	}
	if pid = readPID(f); pid <= 1 {
		return 0, false, fmt.Errorf("%s: it is locked, and its first line is no pid", file)
	}
	return pid, true, nil
}

func readPID(f *os.File) int {
	text := make([]byte, 32)
	n, _ := f.ReadAt(text, 0)
	line, _, _ := strings.Cut(string(text[:n]), "\n")
	pid, _ := strconv.Atoi(line)
	return pid
}
