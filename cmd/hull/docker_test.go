package main_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// docker is the real docker client, talking to this instance.
func (e *engine) docker(args ...string) string {
	e.t.Helper()
	c := exec.Command("docker", append([]string{"-H", "unix://" + e.inst.APISocket()}, args...)...)
	var out, text bytes.Buffer
	c.Stdout, c.Stderr = &out, &text
	require.NoError(e.t, c.Run(), "docker %s: %s%s", strings.Join(args, " "), &text, e.logs())
	return out.String()
}

// traces are the ids of all traces, newest first.
func (e *engine) traces() []string {
	e.t.Helper()
	return strings.Fields(e.ok("trace", "ls", "-q"))
}

// TestDockerRunIsOneTrace: docker's client knows nothing of traces; the instance makes one of each of its runs.
func TestDockerRunIsOneTrace(t *testing.T) {
	probetest.Need(t, "btf", "docker")
	e := up(t, "--trace=always")
	require.Equal(t, "hi\n", e.docker("run", "--rm", "--network", "none", "busybox", "echo", "hi"))
	require.Len(t, e.traces(), 1)
	var tr model.Trace
	e.until("the trace is complete", func() bool {
		tr = e.trace()
		return tr.End != 0
	})
	require.Equal(t, "docker", tr.Command[0])
	require.Equal(t, []string{"-H", "unix://" + e.inst.APISocket(), "run"}, tr.Command[1:4])
	require.Equal(t, []string{"hull-bundle", "hull-shim", "hull-shim", "hull-runc", "hull-runc", "echo", "hull-runc"}, execs(tr))
	require.Equal(t, "hull-shim", tr.Summary().Reparented)
	require.Zero(t, tr.Lost.Events+tr.Lost.Spans)
	seen := map[string]bool{}
	for _, s := range tr.Spans {
		seen[s.Name] = true
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
	}
	for _, name := range []string{
		"daemon.create", "daemon.task.start", "containerd.shim.start", "runc.init.pivot_root", "container.running", "container.exit", "shim.exit.record",
		"daemon.exit.observe",
	} {
		require.True(t, seen[name], "%s is missing", name)
	}

	// Hull's own client brings its trace along, and that is the only one.
	e.ok("run", "--rm", "--trace", "--network", "none", "busybox", "true")
	require.Len(t, e.traces(), 2)
	// One that did not ask gets one all the same.
	e.ok("run", "--rm", "--network", "none", "busybox", "true")
	require.Len(t, e.traces(), 3)
}

// TestUntracedRunsLeaveNoTrace is the other side: nothing is recorded unless somebody asks.
func TestUntracedRunsLeaveNoTrace(t *testing.T) {
	probetest.Need(t, "docker")
	e := up(t)
	e.docker("run", "--rm", "--network", "none", "busybox", "true")
	e.ok("run", "--rm", "--network", "none", "busybox", "true")
	require.Empty(t, e.traces())
	e.docker("run", "--rm", "--network", "none", "--label", "hull.trace=1", "busybox", "true")
	require.Len(t, e.traces(), 1, "a label asks for one run's")
}

// TestDockerAfterRestart: a real docker client attaches to, waits for and removes what an earlier hulld has started.
func TestDockerAfterRestart(t *testing.T) {
	probetest.Need(t, "docker")
	e := up(t)
	id := strings.TrimSpace(e.docker("run", "-d", "-i", "--network", "none", "busybox", "sh", "-c", `while read line; do echo got $line; [ $line = end ] && exit 5; done`))
	e.kill("hulld")
	e.kill("hull-containerd")
	e.ok("up")
	c := exec.Command("docker", "-H", "unix://"+e.inst.APISocket(), "attach", id)
	c.Stdin = strings.NewReader("one\nend\n")
	out, err := c.Output()
	require.Equal(t, 5, c.ProcessState.ExitCode(), "%v", err)
	require.Equal(t, "got one\ngot end\n", string(out))
	require.Equal(t, "5\n", e.docker("wait", id))
	require.Equal(t, "got one\ngot end\n", e.docker("logs", id))
	var all []inspected
	require.NoError(t, json.Unmarshal([]byte(e.docker("inspect", id)), &all))
	require.Equal(t, "exited", all[0].State.Status)
	e.docker("rm", id)
	e.nothingLeft(id)
}
