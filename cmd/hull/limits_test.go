package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// knob reads a file of the container's cgroup, wherever this machine has that controller: v1 names first, then v2's.
func (e *engine) knob(id string, names ...string) string {
	e.t.Helper()
	for _, name := range names {
		for _, top := range []string{"/sys/fs/cgroup/*", "/sys/fs/cgroup"} {
			found, _ := filepath.Glob(top + e.inst.CgroupParent() + "/" + id + "/" + name)
			if len(found) > 0 {
				text, err := os.ReadFile(found[0])
				require.NoError(e.t, err)
				return strings.TrimSpace(string(text))
			}
		}
	}
	e.t.Fatalf("no cgroup of %s has any of %v", id, names)
	return ""
}

// TestLimitsSeenFromOutside reads the limits where the kernel keeps them, and sees each one bite.
func TestLimitsSeenFromOutside(t *testing.T) {
	e := up(t)
	id := strings.TrimSpace(e.ok("run", "-d", "--network", "none", "-m", "64m", "--cpus", "0.5", "--pids-limit", "20", "busybox", "sleep", "1000"))
	require.Equal(t, fmt.Sprint(64<<20), e.knob(id, "memory.limit_in_bytes", "memory.max"))
	require.Contains(t, []string{"50000", "50000 100000"}, e.knob(id, "cpu.cfs_quota_us", "cpu.max"))
	require.Equal(t, "20", e.knob(id, "pids.max"))
	pid := e.inspect(id).State.Pid
	require.Contains(t, strings.Fields(e.knob(id, "cgroup.procs")), fmt.Sprint(pid))

	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	require.NoError(t, err)
	controllers := []string{"memory", "pids", "cpu"}
	if pureV2() {
		controllers = []string{""}
	}
	for _, controller := range controllers {
		require.Regexp(t, `(?m)^[0-9]+:([a-z_,]*,)?(`+controller+`(,[a-z_,]*)?)?:`+e.inst.CgroupParent()+"/"+id+"$", string(groups))
	}
	e.ok("rm", "-f", id)
	e.nothingLeft(id)

	_, text, code := e.run("run", "--rm", "--network", "none", "-m", "16m", "busybox", "sh", "-c", "tail /dev/zero")
	require.Equal(t, 137, code, "the kernel kills what needs more memory: %s", text)
	out, text, code := e.run("run", "--rm", "--network", "none", "--pids-limit", "5", "busybox", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo never")
	require.NotZero(t, code)
	require.NotContains(t, out, "never")
	require.Contains(t, text, "fork")
}

// TestNamespacesSeenFromOutside compares the container's namespaces with the machine's, and its root with the image.
func TestNamespacesSeenFromOutside(t *testing.T) {
	e := up(t)
	kinds := []string{"cgroup", "ipc", "mnt", "net", "pid", "uts"}
	for network, shared := range map[string][]string{"none": nil, "host": {"net"}} {
		id := strings.TrimSpace(e.ok("run", "-d", "--network", network, "busybox", "sleep", "1000"))
		pid := e.inspect(id).State.Pid
		for _, kind := range kinds {
			theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
			require.NoError(t, err)
			ours, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", e.pid("hulld"), kind))
			require.NoError(t, err)
			require.Equal(t, len(shared) > 0 && kind == shared[0], theirs == ours, "--network %s: %s", network, kind)
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		require.NoError(t, err)
		require.Regexp(t, `(?m)^CapEff:\s+00000000a80425fb$`, string(status), "docker's fourteen capabilities")
		require.Regexp(t, `(?m)^Seccomp:\s+2$`, string(status))
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		require.NoError(t, err)
		require.Len(t, fds, 3, "nothing but 0, 1 and 2 reaches the user's program")
		e.ok("rm", "-f", id)
	}
}
