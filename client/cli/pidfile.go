package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Each long-lived binary holds a lock (flock(2)) on its pid file while it lives (docs/seams.md, section 5). The lock, not the number, says that
// the process is there: a pid is used again after a while, and a signal to a reused one would hit a stranger.

// lockHolder reads a pid file: the pid in it, and whether its writer still lives. No file is a process that does not live.
func lockHolder(file string) (pid int, alive bool, err error) {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	// A shared lock that is granted proves that nobody holds the exclusive one. It is given back when f is closed.
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); {
	case err == nil:
		return 0, false, nil
	case !errors.Is(err, unix.EWOULDBLOCK):
		return 0, false, fmt.Errorf("%s: flock: %w", file, err)
	}
	text := make([]byte, 4096)
	n, err := f.ReadAt(text, 0)
	if n == 0 {
		return 0, false, fmt.Errorf("%s: locked, and no pid in it: %w", file, err)
	}
	line, _, _ := strings.Cut(string(text[:n]), "\n")
	if pid, err = strconv.Atoi(line); err != nil || pid <= 1 {
		return 0, false, fmt.Errorf("%s: %.20q is no pid", file, line)
	}
	return pid, true, nil
}

// endHolder sends SIGTERM to the process that holds a pid file's lock and waits until it has ended. After the given milliseconds it is
// killed. It reports false if there was none.
//
// The order makes a reused pid harmless: first a handle on the process (pidfd_open(2)), then the question whether the lock is still
// held by that pid. If it is, the handle is the holder's, whatever happens later.
func endHolder(file string, milliseconds int) (bool, error) {
	pid, alive, err := lockHolder(file)
	if err != nil || !alive {
		return false, err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if again, alive, err := lockHolder(file); err != nil || !alive || again != pid {
		return false, err
	}
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return false, fmt.Errorf("signal %d: %w", pid, err)
		}
		ended, err := awaitExit(fd, milliseconds)
		if ended || err != nil {
			return true, err
		}
	}
	return true, fmt.Errorf("pid %d does not end", pid)
}

// awaitExit polls a pidfd: it becomes readable when the process has ended (pidfd_open(2)).
func awaitExit(fd, milliseconds int) (bool, error) {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, milliseconds)
		if !errors.Is(err, unix.EINTR) {
			return n > 0, err
		}
	}
}
