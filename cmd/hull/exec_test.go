package main_test

import (
	"strings"
	"testing"

	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestTraceOfOneExec: an exec has a trace of its own. Every step of it is there, and none is claimed without a proof.
func TestTraceOfOneExec(t *testing.T) {
	probetest.Need(t, "btf")
	e := up(t)
	e.ok("run", "-d", "--network", "none", "--name", "box", "busybox", "sleep", "1000")
	defer e.ok("rm", "-f", "box")
	out, text, code := e.run("exec", "--trace", "box", "sh", "-c", "env; exit 4")
	require.Equal(t, 4, code, text)
	require.NotContains(t, out, "TRACEPARENT", "the trace's context must not reach the user's program")
	require.Contains(t, text, "runc.init.exec", "the timeline goes to standard error")

	tr := e.trace()
	seen := map[string]bool{}
	for _, s := range tr.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
		seen[s.Name] = true
	}
	for _, name := range strings.Fields(`client.command client.exec.create client.exec.start daemon.exec.create daemon.exec.start containerd.exec.create
		containerd.task.start shim.stdio.open shim.runtime.exec shim.adopt shim.reap runc.exec runc.cgroup.join runc.exec.join runc.exec.clone
		runc.init.session runc.init.user runc.init.seccomp runc.init.capabilities runc.init.exec`) {
		if name == "runc.cgroup.join" && pureV2() {
			continue // born in the group
		}
		require.True(t, seen[name], "%s is missing", name)
	}
	require.Equal(t, []string{"hull-runc", "sh"}, execs(tr), "an exec costs one start of the runtime")
}
