package probe

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces are made by clone(2), as the runtime makes them.
func namespaces() topic {
	t := topic{name: "namespaces"}
	for _, n := range []struct {
		name   string
		flag   uintptr
		needed bool
		cost   string
	}{
		{"mount", unix.CLONE_NEWNS, true, "no container: each has a root of its own"},
		{"pid", unix.CLONE_NEWPID, true, "no container but with --pid host"},
		{"network", unix.CLONE_NEWNET, true, "no container but with --network host"},
		{"ipc", unix.CLONE_NEWIPC, true, "no container but with --ipc host"},
		{"uts", unix.CLONE_NEWUTS, true, "no container but with --uts host"},
		{"cgroup", unix.CLONE_NEWCGROUP, true, "no container but with --cgroupns host"},
		{"user", unix.CLONE_NEWUSER, false, "no mapping of ids"},
		{"time", unix.CLONE_NEWTIME, false, "nothing today: hull makes none"},
	} {
		t.probes = append(t.probes, probe{
			name: n.name, needed: n.needed, cost: n.cost,
			remedy: "a kernel with the namespace built in, and no limit of 0 in /proc/sys/user/max_" + strings.Replace(n.name, "mount", "mnt", 1) + "_namespaces",
			try:    func() (string, error) { return "", clone(&syscall.SysProcAttr{Cloneflags: n.flag}) },
		})
	}
	return t
}

// clone makes a process with these attributes, which does nothing and ends: the program that it is told to execute cannot exist, because
// /dev/null is no directory, and ENOTDIR from that execve says that everything before it went well.
func clone(attr *syscall.SysProcAttr) error {
	pid, err := syscall.ForkExec("/dev/null/none", []string{"none"}, &syscall.ProcAttr{Sys: attr})
	if err == nil {
		syscall.Wait4(pid, nil, 0, nil)
		return errors.New("a program below /dev/null was executed")
	}
	if err == syscall.ENOTDIR {
		return nil
	}
	return named("clone", err)
}
