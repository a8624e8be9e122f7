package probe

import (
	"golang.org/x/sys/unix"
)

func confinement() topic {
	return topic{"confinement", []probe{
		{"no_new_privs", true, noNewPrivs, "--security-opt no-new-privileges is refused", "Linux 3.5"},
		{"seccomp filter", true, seccomp, "no container but with --security-opt seccomp=unconfined", "a kernel with CONFIG_SECCOMP_FILTER"},
		{"capability bounding set", true, bounding, "no container: root in it would be root", "CAP_SETPCAP"},
	}}
}

// noNewPrivs sets it for a thread that ends at once; it cannot be taken back (prctl(2)).
func noNewPrivs() (string, error) {
	return "", thread(0, func() error { return named("prctl", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) })
}

// seccomp loads a filter that allows everything, for a thread that ends at once (seccomp(2)).
func seccomp() (string, error) {
	return "", thread(0, func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return named("prctl", err)
		}
		allow := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
		prog := unix.SockFprog{Len: 1, Filter: &allow}
		_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, pointer(&prog))
		if errno != 0 {
			return named("seccomp", errno)
		}
		return nil
	})
}

// bounding drops one capability from the bounding set of a thread that ends at once.
func bounding() (string, error) {
	return "", thread(0, func() error {
		return named("prctl", unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_WAKE_ALARM, 0, 0, 0))
	})
}
