package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"hull/containerd/imagetest"
	"hull/daemon/network/networktest"
	"hull/stages/instance"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// TestRunFaults holds what a whole run costs in page faults: client, daemons, shims, runtimes and the container. Unlike milliseconds they repeat,
// whatever else the machine does. Measured: 2,290; docker's run takes 19,000.
func TestRunFaults(t *testing.T) {
	probetest.Need(t, "root", "peers", "memory-v1")
	const memory = "/sys/fs/cgroup/memory" // of cgroup v1
	inst, err := instance.At(t.TempDir())
	require.NoError(t, err)
	e := &engine{t: t, bin: bin, inst: inst, net: networktest.New(t)}
	group := fmt.Sprintf("%s/hull-cost-%d", memory, os.Getpid())
	require.NoError(t, os.Mkdir(group, 0o755))
	t.Cleanup(func() { require.NoError(t, os.Remove(group)) })
	t.Cleanup(e.down)
	inside := func(args ...string) {
		t.Helper()
		c := e.cmd(args...)
		c.Args = append([]string{"sh", "-c", "echo $$ >" + group + `/cgroup.procs && exec "$@"`, "sh", filepath.Join(bin, "hull")}, args...)
		c.Path, err = exec.LookPath("sh")
		require.NoError(t, err)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		require.NoError(t, e.net.Run(c), "%s", &out)
	}
	inside("up")
	e.ok("load", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
	const rounds = 5
	run := []string{"run", "--rm", "--network", "none", "busybox", "echo", "hi"}
	inside(run...) // the first one warms the daemons up
	before := pageFaults(t, group) + pageFaults(t, memory+inst.CgroupParent())
	for range rounds {
		inside(run...)
	}
	faults := (pageFaults(t, group) + pageFaults(t, memory+inst.CgroupParent()) - before) / rounds
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
