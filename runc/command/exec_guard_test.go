package command_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// Descriptors that the caller leaks do not reach the program, and a working directory leads nowhere by one (CVE-2024-21626).
func TestAttack02ExecWorkDir(t *testing.T) {
	b, id, _ := running(t, nil)
	cmd := exec.Command(b.bin, "--root", b.root, "exec", id, "sh", "-c", "ls /proc/self/fd | wc -l")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	for range 20 {
		f, err := os.Open("/etc")
		require.NoError(t, err)
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	require.NoError(t, cmd.Run(), out.String())
	require.Equal(t, "4\n", out.String(), "three, and that of the directory being read")
	for fd := range 40 {
		for _, cwd := range []string{fmt.Sprintf("/proc/self/fd/%d", fd), fmt.Sprintf("/proc/self/fd/%d/..", fd), fmt.Sprintf("/proc/thread-self/fd/%d", fd)} {
			if fd%5 != 0 && fd > 12 {
				continue
			}
			_, errs, code := b.exits("--cwd", cwd, id, "pwd")
			require.Equal(t, 255, code, cwd)
			require.Contains(t, errs, "runc.init.workdir", cwd)
		}
	}
	// A link in the image is followed inside the root only.
	require.NoError(t, os.Symlink("/../../../../etc", b.bundle+"/rootfs/link"))
	got, errs, code := b.exits("--cwd", "/link", id, "sh", "-c", "pwd -P; ls")
	require.Equal(t, 0, code, errs)
	require.Equal(t, "/etc\npasswd\n", got)
}

// watcher may look at everything that it can see.
func watcher() *specs.LinuxCapabilities {
	list := []string{"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_KILL"}
	return &specs.LinuxCapabilities{Bounding: list, Effective: list, Permitted: list}
}

// A filter that forbids fork, setsid or the terminal's ioctl to the program does not keep it from being executed.
func TestExecUnderStrictFilter(t *testing.T) {
	for _, forbidden := range []string{"clone", "setsid", "fork"} {
		t.Run(forbidden, func(t *testing.T) {
			b, id, _ := running(t, func(s *specs.Spec) {
				s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{forbidden}, Action: specs.ActKillProcess}}}
			})
			out, errs, code := b.exits(id, "grep", "Seccomp:", "/proc/self/status")
			require.Equal(t, 0, code, errs)
			require.Equal(t, "Seccomp:\t2\n", out)
			_, _, code = b.exits("--no-new-privs", id, "true")
			require.Equal(t, 0, code)
		})
	}
}

// A filter that the container has and that is not there any more is an error, never an exec without one.
func TestExecNeedsTheFilter(t *testing.T) {
	b, id, _ := running(t, func(s *specs.Spec) {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"unshare"}, Action: specs.ActErrno}}}
	})
	require.NoError(t, os.Remove(filepath.Join(b.root, id, "seccomp")))
	_, errs, code := b.exits(id, "true")
	require.Equal(t, 255, code)
	require.Contains(t, errs, "system call filter")
}

// A paused container is killed, and deleted with --force: it is thawed first. ps and list tell of it; update reaches the kernel, or nothing.
func TestPausedEnds(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	for _, end := range [][]string{{"kill", "%", "KILL"}, {"kill", "--all", "%", "KILL"}, {"delete", "--force", "%"}} {
		id := b.id("p")
		pid, _ := b.create(id)
		b.must("start", id)
		b.must("pause", id)
		require.Equal(t, fmt.Sprintf("[%d]\n", pid), b.must("ps", "--format", "json", id))
		require.Regexp(t, `(?m)^`+id+` +`+strconv.Itoa(pid)+` +paused `, b.must("list"))
		for i, word := range end {
			end[i] = strings.ReplaceAll(word, "%", id)
		}
		b.must(end...)
		require.Equal(t, 137, reap(t, pid))
		b.must("delete", "--force", id)
	}
	require.Equal(t, []string{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}, strings.Fields(b.must("list")))
}

func TestUpdate(t *testing.T) {
	b, id, pid := running(t, func(s *specs.Spec) {
		limit, swap := int64(64<<20), int64(128<<20)
		s.Linux.Resources = &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit, Swap: &swap}}
	})
	limits := func() [2]string { // v2 counts swap by itself, the specification both together
		return [2]string{knob(t, id, "memory", "memory.limit_in_bytes", "memory.max"), knob(t, id, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max")}
	}
	both := func(memory, swap int) [2]string {
		if !pureV2() {
			swap += memory
		}
		return [2]string{strconv.Itoa(memory), strconv.Itoa(swap)}
	}
	pids := func() string { return knob(t, id, "pids", "pids.max", "pids.max") }
	b.must("update", "--memory", "268435456", "--memory-swap", "536870912", "--pids-limit", "33", id) // beyond what both together were
	require.Equal(t, both(256<<20, 256<<20), limits())
	require.Equal(t, "33", pids())
	b.must("update", "--memory", "33554432", "--memory-swap", "67108864", id) // and back below
	require.Equal(t, both(32<<20, 32<<20), limits())

	file := t.TempDir() + "/r"
	require.NoError(t, os.WriteFile(file, []byte(`{"pids":{"limit":44},"cpu":{"cpus":"4000"}}`), 0o600))
	require.Contains(t, b.fails("update", "--resources", file, id), "cpuset.cpus")
	require.Equal(t, "33", pids(), "nothing has changed")
	require.NoError(t, os.WriteFile(file, []byte(`{"pids":{"limit":44}}`), 0o600))
	b.must("update", "-r", file, id)
	require.Equal(t, "44", pids())
	require.Contains(t, b.fails("update", "--pids-limit", "x", id), "pids-limit")
	require.Contains(t, b.must("ps", id), fmt.Sprintf(" %d ", pid))
}

// Where the container's group of cgroup v2 has handed a controller on to groups below, processes can join only these (EBUSY otherwise).
func TestExecIntoSubgroup(t *testing.T) {
	b, id, pid := running(t, nil)
	dir := "/sys/fs/cgroup/unified/" + id
	if pureV2() {
		dir = "/sys/fs/cgroup/" + id
	}
	if text, err := os.ReadFile(dir + "/cgroup.controllers"); err != nil || !strings.Contains(string(text), "hugetlb") {
		t.Skip("no v2 hierarchy with the controller hugetlb")
	}
	require.NoError(t, os.Mkdir(dir+"/below", 0o755))
	require.NoError(t, os.WriteFile(dir+"/below/cgroup.procs", []byte(strconv.Itoa(pid)), 0))
	require.NoError(t, os.WriteFile(dir+"/cgroup.subtree_control", []byte("+hugetlb"), 0))
	out, errs, code := b.exits(id, "grep", "0::", "/proc/self/cgroup")
	require.Equal(t, 0, code, errs)
	require.Equal(t, "0::/below\n", out)
}

// The trace of an exec: the helper's steps with its pid, then those of the process.
func TestExecTrace(t *testing.T) {
	b, id, _ := running(t, nil)
	var pid int
	spans := b.spansOf(func() {
		var err error
		pid, _, err = b.detached(id, b.process(nil, "env"))
		require.NoError(t, err)
	})
	reap(t, pid)
	var helper, own []string
	for _, s := range spans {
		list := &helper
		switch attr(s, stages.AttrPID).GetIntValue() {
		case int64(pid):
			list = &own
		case 0:
			continue
		}
		if name := s.Name; len(*list) == 0 || (*list)[len(*list)-1] != name {
			*list = append(*list, name)
		}
	}
	require.Equal(t, []string{"runc.init.session", "runc.init.exec"}, own)
	want := []string{
		"runc.cgroup.join", "runc.exec.join", "runc.init.user", "runc.init.workdir", "runc.init.program", "runc.init.capabilities", "runc.exec.clone",
	}
	if pureV2() {
		want = want[1:] // the helper is born in the group
	}
	require.Equal(t, want, helper[:len(want)])
}
