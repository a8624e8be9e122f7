package seccomp

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Permits reports whether the filter lets a system call of this machine's own table through, as the kernel would find by running it.
// hull-runc asks where the order of a set-up depends on it; the kernel's own verdict is the one that counts.
func (f Filter) Permits(nr uintptr, args [6]uint64) bool {
	audit := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	// struct seccomp_data (seccomp(2)) in words: number, architecture, instruction pointer, then each argument with its low half first.
	data := [16]uint32{uint32(nr), audit}
	for i, a := range args {
		data[4+2*i], data[5+2*i] = uint32(a), uint32(a>>32)
	}
	accumulator := uint32(0)
	for pc := 0; pc < len(f.Insns); pc++ {
		in, yes := f.Insns[pc], false
		switch in.Code {
		case opLoad:
			accumulator = data[in.K/4%uint32(len(data))]
			continue
		case opAnd:
			accumulator &= in.K
			continue
		case opJump:
			pc += int(in.K)
			continue
		case opReturn:
			action := in.K & unix.SECCOMP_RET_ACTION_FULL
			return action == unix.SECCOMP_RET_ALLOW || action == unix.SECCOMP_RET_LOG
		case opEqual:
			yes = accumulator == in.K
		case opGreater:
			yes = accumulator > in.K
		case opGreaterEqual:
			yes = accumulator >= in.K
		}
		if yes {
			pc += int(in.Jt)
		} else {
			pc += int(in.Jf)
		}
	}
	return false
}
