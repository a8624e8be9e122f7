package probe

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func processes() topic {
	const filter = ", and no filter around hull that refuses this call"
	return topic{"processes", []probe{
		{"clone3", true, clone3, "no container: the first process is made with it", "Linux 5.3" + filter},
		{"pidfd", true, pidfd, "no container: processes are waited for and killed by pidfd", "Linux 5.3" + filter},
		{"subreaper", true, subreaper, "no container: the shim could not adopt it", "Linux 3.4"},
		{"close_range", true, closeRange, "no container: leaked descriptors are closed with it", "Linux 5.9" + filter},
		{"faccessat2", true, faccessat2, "no container: its program is looked for with it", "Linux 5.8" + filter},
	}}
}

// clone3 asks for nothing that exists: EINVAL says that the call is there, ENOSYS that it is not, or that a filter says so.
func clone3() (string, error) {
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0)
	if errno == unix.EINVAL {
		return "", nil
	}
	return "", named("clone3", errno)
}

func pidfd() (string, error) {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return "", named("pidfd_open", err)
	}
	defer unix.Close(fd)
	return "", named("pidfd_send_signal", unix.PidfdSendSignal(fd, 0, nil, 0))
}

// subreaper asks only: being one would change whose children become ours.
func subreaper() (string, error) {
	var now int32
	_, _, errno := unix.RawSyscall(unix.SYS_PRCTL, unix.PR_GET_CHILD_SUBREAPER, pointer(&now), 0)
	if errno != 0 {
		return "", named("prctl", errno)
	}
	return "", nil
}

// closeRange closes what cannot be open: descriptors start far below.
func closeRange() (string, error) {
	return "", named("close_range", unix.CloseRange(1<<30, 1<<30, 0))
}

func faccessat2() (string, error) {
	path, err := syscall.BytePtrFromString("/")
	if err != nil {
		return "", err
	}
	at := unix.AT_FDCWD
	_, _, errno := unix.Syscall6(unix.SYS_FACCESSAT2, uintptr(at), pointer(path), unix.X_OK, unix.AT_EACCESS, 0, 0)
	if errno != 0 {
		return "", named("faccessat2", errno)
	}
	return "", nil
}
