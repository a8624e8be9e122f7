package process

import (
	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// secbitNoSetuidFixup is SECBIT_NO_SETUID_FIXUP (capabilities(7)).
const secbitNoSetuidFixup = 1 << 2

// User appends the rows that set groups, gid and uid, in that order: after the uid the right to set the others would be gone. Leaving
// uid 0 would also drop all capabilities, which the filter and the capability rows still need; the securebit holds that back, and is
// cleared at once, so that execve(2) counts as usual.
func User(p *linux.Program, u specs.User) {
	p.At(stages.RuncInitUser, "")
	fixup := []int{secbitNoSetuidFixup, 0}
	p.Do(linux.Prctl(unix.PR_SET_SECUREBITS, linux.Num(fixup[0])))
	p.Do(
		linux.Setgroups(u.AdditionalGids),
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

// OwnStdio appends the rows that give the standard streams to the user, so that programs can open /dev/stdout again. Streams that are
// somebody's already, or /dev/null, are left alone.
func OwnStdio(p *linux.Program, uid uint32) {
	null := unix.Mkdev(1, 3)
	p.At(stages.RuncInitUser, "standard streams")
	for fd := range 3 {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil || st.Uid == uid || st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == null {
			continue
		}
		p.Do(linux.Fchown(linux.Num(fd), int(uid), -1).Or(unix.EINVAL, unix.EPERM, unix.EROFS))
	}
}
