package command_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// pureV2 reports whether the machine has cgroup v2 and nothing else: then a process is born in its group, and no step joins one.
func pureV2() bool {
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	return err == nil
}

// knob reads a file of the container's group: v1's name in the controller's own hierarchy, or v2's.
func knob(t *testing.T, id, controller, v1, v2 string) string {
	if pureV2() {
		return strings.TrimSpace(read(t, "/sys/fs/cgroup/"+id+"/"+v2))
	}
	return strings.TrimSpace(read(t, "/sys/fs/cgroup/"+controller+"/"+id+"/"+v1))
}

// groupsOf are the lines of /proc/PID/cgroup that name the container, as its controllers (v1) or "" (v2).
func groupsOf(t *testing.T, pid int, id string) (controllers []string) {
	for _, line := range strings.Split(strings.TrimSpace(read(t, fmt.Sprintf("/proc/%d/cgroup", pid))), "\n") {
		_, rest, _ := strings.Cut(line, ":")
		if names, path, _ := strings.Cut(rest, ":"); path == "/"+id {
			controllers = append(controllers, strings.Split(names, ",")...)
		}
	}
	return controllers
}

// TestInItsGroup: the first process, and what exec adds, are in the container's group before the user's program runs; from inside the group is the
// root; the limits are the kernel's; nothing of it is left.
func TestInItsGroup(t *testing.T) {
	memory, quota, period, tasks := int64(32<<20), int64(50000), uint64(100000), int64(20)
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sh", "-c", "cat /proc/self/cgroup; sleep 1000"}
		s.Linux.Resources = &specs.LinuxResources{
			Memory: &specs.LinuxMemory{Limit: &memory}, CPU: &specs.LinuxCPU{Quota: &quota, Period: &period}, Pids: &specs.LinuxPids{Limit: &tasks},
		}
	})
	id := b.id("group")
	pid, out := b.create(id)
	want := []string{"memory", "pids", "cpu", "devices", "freezer"}
	if pureV2() {
		want = []string{""}
	}
	require.Subset(t, groupsOf(t, pid, id), want, "before start")
	b.must("start", id)
	require.Subset(t, groupsOf(t, pid, id), want, "after start")
	require.Equal(t, "33554432", knob(t, id, "memory", "memory.limit_in_bytes", "memory.max"))
	require.Contains(t, []string{"50000", "50000 100000"}, knob(t, id, "cpu", "cpu.cfs_quota_us", "cpu.max"))
	require.Equal(t, "20", knob(t, id, "pids", "pids.max", "pids.max"))

	inside := b.must("exec", id, "cat", "/proc/self/cgroup")
	for _, line := range strings.Split(strings.TrimSpace(inside), "\n") {
		if pureV2() || strings.Contains(line, ":memory:") {
			require.True(t, strings.HasSuffix(line, ":/"), line)
		}
	}
	b.must("kill", id, "KILL")
	require.Equal(t, 137, reap(t, pid))
	require.Equal(t, inside, contents(t, out), "both stand in the same place")
	b.must("delete", id)
}
