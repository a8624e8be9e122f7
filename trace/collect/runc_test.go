package collect_test

import (
	"testing"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestKernelOurRuntime holds every claim of hull-runc on a real bundle against the kernel.
func TestKernelOurRuntime(t *testing.T) {
	probetest.Need(t, "root", "btf", "busybox")
	runc := probetest.Build(t, "hull-runc")
	dir, id := bundle(t, "exit 3")
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, nil, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
	trace := tr.end(ctx)
	for _, s := range trace.Spans {
		t.Logf("%s %s %s %s %v %s | %s", s.Name, s.Instance, s.Claim, s.Proof, s.Proc, s.Error, s.Because)
	}
	require.Zero(t, trace.Lost)
	for _, s := range trace.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
		require.NotEqual(t, stages.None, s.Step().ID, s.Name)
	}
}
