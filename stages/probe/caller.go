package probe

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

func caller() topic {
	t := topic{"caller", []probe{
		{"kernel", false, kernel, "", ""},
		{"root", true, root, "hulld cannot be started", "run hull up as root; others may then use its socket (group hull)"},
	}}
	for _, c := range []struct {
		bit        int
		name, cost string
		needed     bool
	}{
		{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "no container: namespaces and mounts need it", true},
		{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN", "no network but none and host, and no loopback interface", true},
		{unix.CAP_SETUID, "CAP_SETUID", "no container that runs as another user", true},
		{unix.CAP_SETGID, "CAP_SETGID", "no container: groups cannot be set", true},
		{unix.CAP_SETPCAP, "CAP_SETPCAP", "no container: the bounding set cannot be cut down", true},
		{unix.CAP_MKNOD, "CAP_MKNOD", "no container of its own /dev", true},
		{unix.CAP_CHOWN, "CAP_CHOWN", "images cannot be unpacked with their owners", true},
		{unix.CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "files of other users cannot be unpacked and removed", true},
		{unix.CAP_KILL, "CAP_KILL", "containers of other users cannot be stopped", true},
		{unix.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "namespaces and streams of other users' processes cannot be read for proofs", false},
		{unix.CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "hard limits (--ulimit) are not raised, and oom_score_adj not lowered: with a warning", false},
		{unix.CAP_BPF, "CAP_BPF", "no kernel side in traces, but with CAP_SYS_ADMIN", false},
	} {
		t.probes = append(t.probes, probe{
			c.name, c.needed, func() (string, error) { return "", capability(c.bit) }, c.cost,
			"start hull where nothing took the capability away: not in another engine's container, or with --cap-add " + strings.TrimPrefix(c.name, "CAP_"),
		})
	}
	t.probes = append(t.probes, probe{"open files", false, openFiles, "few containers at once: each takes some descriptors in three daemons", "ulimit -Hn 65536 before hull up"})
	return t
}

func kernel() (string, error) {
	var u unix.Utsname
	err := unix.Uname(&u)
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:]), err
}

func root() (string, error) {
	if uid := os.Geteuid(); uid != 0 {
		return "", fmt.Errorf("uid %d", uid)
	}
	// Uid 0 of the first user namespace stands for itself, and for all others too (user_namespaces(7)).
	text, err := os.ReadFile("/proc/self/uid_map")
	if m := strings.Join(strings.Fields(string(text)), " "); err == nil && m != "0 0 4294967295" {
		return "", fmt.Errorf("of a user namespace only (uid_map: %s)", m)
	}
	return "", nil
}

// capability reports whether the caller has it effective (capget(2)). Inside of a user namespace it is one over that namespace only; then
// the trials below say more.
func capability(bit int) error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return named("capget", err)
	}
	if data[bit/32].Effective&(1<<(bit%32)) == 0 {
		return errors.New("not effective")
	}
	return nil
}

func openFiles() (string, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return "", named("getrlimit", err)
	}
	if l.Max < 4096 {
		return "", fmt.Errorf("hard limit %d", l.Max)
	}
	return fmt.Sprintf("hard limit %d", l.Max), nil
}
