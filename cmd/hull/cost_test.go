package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"hull/containerd/imagetest"
	"hull/daemon/network/networktest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// TestRunFaults holds what a whole run costs in page faults: client, daemons, shims, runtimes and the container. Unlike milliseconds they repeat,
// whatever else the machine does. Measured: 2,290; docker's run takes 19,000.
func TestRunFaults(t *testing.T) {
	probetest.Need(t, "root", "peers", "memory-v1")
	const memory = "/sys/fs/cgroup/memory" // of cgroup v1
	group := fmt.Sprintf("%s/hull-cost-%d", memory, os.Getpid())
	require.NoError(t, os.Mkdir(group, 0o755))
	t.Cleanup(func() { require.NoError(t, os.Remove(group)) })
	e := private(t, bin, networktest.New(t))
	inside := func(args ...string) {
		t.Helper()
		hull := e.cmd(args...)
		c := exec.Command("sh", append([]string{"-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, group}, hull.Args...)...)
		c.Env = hull.Env
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		require.NoError(t, e.net.Run(c), "%s", &out)
	}
	inside("up")
	e.ok("load", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
	const rounds = 5
	run := []string{"run", "--rm", "--network", "none", "busybox", "echo", "hi"}
	inside(run...) // the first one warms the daemons up
	before := pageFaults(t, group) + pageFaults(t, memory+e.inst.CgroupParent())
	for range rounds {
		inside(run...)
	}
	faults := (pageFaults(t, group) + pageFaults(t, memory+e.inst.CgroupParent()) - before) / rounds
	require.Positive(t, faults)
	require.Less(t, faults, 3000)
	t.Logf("%d page faults in each run", faults)
}

// pageFaults are those of a group and of all below it (Linux, Documentation/admin-guide/cgroup-v1/memory.rst, memory.stat).
func pageFaults(t *testing.T, group string) int {
	t.Helper()
	text, err := os.ReadFile(group + "/memory.stat")
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^total_pgfault (\d+)$`).FindSubmatch(text)
	require.NotNil(t, m)
	n, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return n
}
