package cli

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"hull/stages/instance"
)

// endHolder sends SIGTERM to the process that holds a pid file's lock and waits until it has ended. After the given milliseconds it is
// killed. It reports false if there was none.
//
// The order makes a reused pid harmless: first a handle on the process (pidfd_open(2)), then the question whether the lock is still
// held by that pid. If it is, the handle is the holder's, whatever happens later.
func endHolder(file string, milliseconds int) (bool, error) {
	pid, alive, err := instance.Holder(file)
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
	if again, alive, err := instance.Holder(file); err != nil || !alive || again != pid {
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
