package confine

import (
	"fmt"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// names are the capabilities in the kernel's order (capabilities(7), include/uapi/linux/capability.h).
var names = [...]string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
	"CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
	"CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
	"CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// lastPossible is the highest capability number that two 32-bit words can hold.
const lastPossible = 63

// Set is a set of capabilities, one bit each.
type Set uint64

func (s Set) has(c int) bool { return s>>c&1 == 1 }

// Sets are the five sets of a process (capabilities(7), "Thread capability sets").
type Sets struct{ Bounding, Effective, Permitted, Inheritable, Ambient Set }

// ParseCapabilities reads the specification's sets. Capabilities that this process does not have itself, and so cannot give, are left
// out and named in the warnings; so are those that a later kernel may know (OCI runtime-spec, config.md: "MUST be logged as a warning").
// The first process of a user namespace has all that the kernel knows (user_namespaces(7)). nil is the empty sets.
func ParseCapabilities(c *specs.LinuxCapabilities, userNamespace bool) (sets Sets, warnings []string, err error) {
	if c == nil {
		return sets, nil, nil
	}
	missing := map[string]bool{}
	for _, s := range []struct {
		name string
		list []string
		to   *Set
	}{
		{"bounding", c.Bounding, &sets.Bounding},
		{"effective", c.Effective, &sets.Effective},
		{"permitted", c.Permitted, &sets.Permitted},
		{"inheritable", c.Inheritable, &sets.Inheritable},
		{"ambient", c.Ambient, &sets.Ambient},
	} {
		for _, name := range s.list {
			n := number(name)
			if n < 0 && !strings.HasPrefix(name, "CAP_") {
				return sets, nil, &stages.Error{Step: stages.RuncInitCapabilities, Kind: stages.Invalid, Thing: "process.capabilities." + s.name, Err: fmt.Errorf("unknown capability %q", name)}
			}
			if n < 0 || !granted(n, userNamespace) {
				if !missing[name] {
					missing[name] = true
					warnings = append(warnings, fmt.Sprintf("process.capabilities: %s is left out: this system does not grant it", name))
				}
				continue
			}
			*s.to |= 1 << n
		}
	}
	// capabilities(7): an ambient capability must be permitted and inheritable. Peers leave others out as well.
	if lost := sets.Ambient &^ (sets.Permitted & sets.Inheritable); lost != 0 {
		sets.Ambient &^= lost
		warnings = append(warnings, "process.capabilities.ambient: those that are not permitted and inheritable as well are left out")
	}
	return sets, warnings, nil
}

// granted reports whether a capability is in our bounding set: what is not cannot be had by any child either (prctl(2), PR_CAPBSET_READ),
// but in a new user namespace, where it is one that the kernel knows.
func granted(c int, userNamespace bool) bool {
	have, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
	return err == nil && (have == 1 || userNamespace)
}

func number(name string) int {
	for n, known := range names {
		if known == name {
			return n
		}
	}
	return -1
}

// Capabilities appends the rows that leave the process with the sets and nothing else. The bounding set first: dropping from it needs
// CAP_SETPCAP, which the capset(2) after it may take away. Ambient last: it can hold only what is permitted and inheritable.
func Capabilities(p *linux.Program, s Sets) {
	p.At(stages.RuncInitCapabilities, "")
	for c := range names {
		if !s.Bounding.has(c) {
			p.Do(linux.Prctl(unix.PR_CAPBSET_DROP, linux.Num(c)).Or(unix.EINVAL)) // EINVAL: this kernel has no such capability
		}
	}
	for c := len(names); c <= lastPossible; c++ { // those of later kernels; the first that does not exist ends it
		p.Do(linux.Prctl(unix.PR_CAPBSET_DROP, linux.Num(c)).Or(unix.EINVAL).Skip(0, lastPossible-c))
	}
	var data [2]unix.CapUserData
	for i := range data {
		shift := 32 * i
		data[i] = unix.CapUserData{Effective: uint32(s.Effective >> shift), Permitted: uint32(s.Permitted >> shift), Inheritable: uint32(s.Inheritable >> shift)}
	}
	p.Do(linux.Capset(data), linux.Prctl(unix.PR_CAP_AMBIENT, linux.Num(unix.PR_CAP_AMBIENT_CLEAR_ALL), linux.Num(0), linux.Num(0), linux.Num(0)))
	for c := range names {
		if s.Ambient.has(c) {
			p.Do(linux.Prctl(unix.PR_CAP_AMBIENT, linux.Num(unix.PR_CAP_AMBIENT_RAISE), linux.Num(c), linux.Num(0), linux.Num(0)))
		}
	}
}

// NoNewPrivs appends the row after which no execve(2) gains anything (prctl(2), Linux 3.5).
func NoNewPrivs(p *linux.Program) {
	p.At(stages.RuncInitNoNewPrivs, "")
	p.Do(linux.Prctl(unix.PR_SET_NO_NEW_PRIVS, linux.Num(1), linux.Num(0), linux.Num(0), linux.Num(0)))
}

// Seccomp appends the row that loads the filter. From the next row on, all is subject to it. A filter that asks somebody has a listener,
// which is handed over at once.
func Seccomp(p *linux.Program, flags uint, filter []unix.SockFilter) {
	p.At(stages.RuncInitSeccomp, "")
	load := linux.Seccomp(flags, filter)
	if flags&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER != 0 {
		p.Do(p.Listen(load)...)
		return
	}
	p.Do(load)
}
