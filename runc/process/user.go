package process

import (
	"fmt"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// secbitNoSetuidFixup is SECBIT_NO_SETUID_FIXUP (capabilities(7)).
const secbitNoSetuidFixup = 1 << 2

// User appends the rows that set groups, gid and uid, in that order: after the uid the right to set the others would be gone. Leaving
// uid 0 would also drop all capabilities, which the filter and the capability rows still need; the securebit holds that back, and is
// cleared at once, so that execve(2) counts as usual. noGroups: setgroups(2) is denied in the user namespace, and nobody has asked for any.
func User(p *linux.Program, u specs.User, noGroups bool) {
	p.At(stages.RuncInitUser, "")
	fixup := []int{secbitNoSetuidFixup, 0}
	p.Do(linux.Prctl(unix.PR_SET_SECUREBITS, linux.Num(fixup[0])))
	if !noGroups {
		p.Do(linux.Setgroups(u.AdditionalGids))
	}
	p.Do(
		linux.Setresgid(u.GID),
		linux.Setresuid(u.UID),
	)
	p.Do(linux.Prctl(unix.PR_SET_SECUREBITS, linux.Num(fixup[1])))
	mask := 0o022
	if u.Umask != nil {
		mask = int(*u.Umask)
	}
	p.Do(linux.Umask(mask))
}

// OwnStdio appends the rows that give the standard streams to the user, so that programs can open /dev/stdout again.
func OwnStdio(p *linux.Program, uid uint32) {
	p.At(stages.RuncInitUser, "standard streams")
	for _, fd := range othersStdio(uid) {
		p.Do(linux.Fchown(linux.Num(fd), int(uid), -1).Or(unix.EINVAL, unix.EPERM, unix.EROFS))
	}
}

// GiveStdio does the same at once, for the first process of a user namespace: the streams are of ids that are not in there, and so the
// process has no right over them. uid is the host's number.
func GiveStdio(uid uint32) error {
	for _, fd := range othersStdio(uid) {
		switch err := unix.Fchown(fd, int(uid), -1); err {
		case nil, unix.EINVAL, unix.EPERM, unix.EROFS:
		default:
			return fmt.Errorf("fchown of descriptor %d: %w", fd, err)
		}
	}
	return nil
}

// othersStdio are the standard streams that are not the user's. /dev/null is everybody's.
func othersStdio(uid uint32) (fds []int) {
	null := unix.Mkdev(1, 3)
	for fd := range 3 {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil || st.Uid == uid || st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == null {
			continue
		}
		fds = append(fds, fd)
	}
	return fds
}
