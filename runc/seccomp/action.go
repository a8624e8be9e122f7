package seccomp

import (
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/stages"
)

// An action is a filter's return value: a SECCOMP_RET_* in the upper half, its data in the lower (seccomp(2), "Return values").
type action uint32

// foreign is what happens to calls of an architecture that the profile does not name. The kernel's other choice, ending the thread
// only, leaves programs behind that wait for it forever.
const foreign action = unix.SECCOMP_RET_KILL_PROCESS

// maxErrno is the largest errno that the kernel passes on (MAX_ERRNO, include/linux/err.h).
const maxErrno = 4095

// actionOf translates a profile's action; ret is its errnoRet, EPERM if it has none.
func actionOf(a specs.LinuxSeccompAction, ret *uint) (action, error) {
	data, limit := uint(unix.EPERM), uint(0)
	var act action
	switch a {
	case specs.ActErrno:
		act, limit = unix.SECCOMP_RET_ERRNO, maxErrno
	case specs.ActTrace:
		act, limit = unix.SECCOMP_RET_TRACE, unix.SECCOMP_RET_DATA
	case specs.ActKill, specs.ActKillThread:
		act = unix.SECCOMP_RET_KILL_THREAD
	case specs.ActKillProcess:
		act = unix.SECCOMP_RET_KILL_PROCESS
	case specs.ActTrap:
		act = unix.SECCOMP_RET_TRAP
	case specs.ActAllow:
		act = unix.SECCOMP_RET_ALLOW
	case specs.ActLog:
		act = unix.SECCOMP_RET_LOG
	case specs.ActNotify:
		act = unix.SECCOMP_RET_USER_NOTIF
	default:
		return 0, refuse(stages.Invalid, string(a), errors.New("not a seccomp action"))
	}
	if limit == 0 {
		if ret != nil {
			return 0, refuse(stages.Invalid, string(a), errors.New("it takes no errnoRet"))
		}
		return act, nil
	}
	if ret != nil {
		data = *ret
	}
	if data > limit {
		return 0, refuse(stages.Invalid, string(a), fmt.Errorf("errnoRet %d is above %d", data, limit))
	}
	return act | action(data), nil
}
