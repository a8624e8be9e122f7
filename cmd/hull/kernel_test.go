package main_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"hull/containerd/imagetest"
	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestRunOnThisKernel is one whole traced run that is held against what `hull doctor` says of the kernel, on whatever kernel the test runs:
// outside on the machine's, and in a guest on an older one (runc/vmtest). Nothing is lost, nothing is claimed that was not proved.
func TestRunOnThisKernel(t *testing.T) {
	probetest.Need(t, "btf")
	e := up(t)
	kernel := map[string]bool{}
	for _, line := range strings.Split(e.ok("doctor"), "\n") {
		for _, feature := range []string{"overlay lowerdir+", "BTF", "CLONE_INTO_CGROUP"} {
			if yes := strings.HasPrefix(line, "  yes  "+feature); yes || strings.HasPrefix(line, "  no   "+feature) {
				kernel[feature] = yes
			}
		}
	}
	require.Len(t, kernel, 3, "doctor has an answer to each")

	out, text, code := e.run("run", "--rm", "--trace", "--network", "none", "-m", "64m", "--cpus", "0.5", "--pids-limit", "20", "busybox",
		"sh", "-c", "cat /proc/self/cgroup; exit 3")
	require.Equal(t, 3, code, text)
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if strings.Contains(line, ":memory:") || strings.HasPrefix(line, "0::") && pureV2() {
			require.True(t, strings.HasSuffix(line, ":/"), "the group is the root of what the container sees: %s", line)
		}
	}
	tr := e.trace()
	require.Empty(t, tr.Notes)
	require.Zero(t, tr.Lost)
	proved := 0
	for _, s := range tr.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
		if s.Proof == model.Proved {
			proved++
		}
	}
	require.Greater(t, proved, 60)
	require.Equal(t, "hull-shim", adopter(tr))

	born := container(t, tr)
	attached := 0
	for _, ev := range tr.Events {
		switch {
		case ev.Kind == "clone" && ev.Args["child"] == fmt.Sprint(born.PID) && pureV2():
			require.Contains(t, ev.Args["flags"], "CLONE_INTO_CGROUP")
			require.Contains(t, ev.Args["flags"], "CLONE_NEWCGROUP")
		case ev.Kind == "cgroup_attach" && ev.Args["target"] == fmt.Sprint(born.PID):
			attached++
		}
	}
	if pureV2() {
		require.Zero(t, attached, "it is born in its group and was never elsewhere")
	} else {
		require.NotZero(t, attached)
	}
	t.Logf("%d steps, %d proved, %d kernel events, %d lost", len(tr.Spans), proved, len(tr.Events), tr.Lost.Events)
}

// TestManyLayers runs an image whose layers do not fit on the page that mount(2) takes: one by one where the kernel has overlay's lowerdir+ (Linux
// 6.5), else by short names. The container sees the lowest layer and the highest.
func TestManyLayers(t *testing.T) {
	e := up(t)
	layers := [][]byte{imagetest.Layer(t, imagetest.Busybox(t))}
	const n = 100
	for i := range n {
		layers = append(layers, imagetest.Layer(t, []imagetest.Entry{{Name: fmt.Sprintf("layer%d", i), Body: fmt.Sprint(i)}, {Name: "top", Body: fmt.Sprint(i)}}))
	}
	e.ok("load", "-i", imagetest.DockerSave(t, "many:latest", map[string]any{"Env": []string{"PATH=/bin"}}, layers...))
	out := e.ok("run", "--rm", "--trace", "--network", "none", "many", "sh", "-c", "cat /top; echo; ls / | grep -c ^layer")
	require.Equal(t, fmt.Sprintf("%d\n%d\n", n-1, n), out)

	onByOne, failed, inTheOldWay := 0, 0, 0
	tr := e.trace()
	for _, ev := range tr.Events {
		switch {
		case ev.Call == "fsconfig" && ev.Args["key"] == "lowerdir+":
			onByOne++
			if ev.Ret != 0 {
				failed++
			}
		case ev.Call == "mount" && ev.Args["fstype"] == "overlay" && ev.Ret == 0:
			inTheOldWay++
		}
	}
	if strings.Contains(e.ok("doctor"), "  yes  overlay lowerdir+") {
		require.Equal(t, []int{n + 1, 0, 0}, []int{onByOne, failed, inTheOldWay})
	} else {
		require.NotZero(t, onByOne, "it is tried first")
		require.Equal(t, 1, inTheOldWay)
	}
	for _, s := range tr.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
	}
}

// container is the process that became the container's: the first one in its pid namespace.
func container(t *testing.T, tr model.Trace) model.Proc {
	t.Helper()
	for _, p := range tr.Processes {
		if p.NSPID == 1 {
			return p.Proc
		}
	}
	t.Fatal("no process of the trace is the first in a pid namespace")
	return model.Proc{}
}

// pureV2 reports whether the machine has cgroup v2 and nothing else.
func pureV2() bool {
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	return err == nil
}
