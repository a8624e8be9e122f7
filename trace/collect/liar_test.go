package collect_test

import (
	"testing"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestKernelLiar runs a runtime that claims every step and does none: what the kernel must have seen is not proved.
func TestKernelLiar(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, nil, actor(t, "liar-runc"), "create", "--bundle", t.TempDir(), "some-id")
	trace := tr.end(ctx)
	claims := 0
	for _, s := range trace.Spans {
		step := s.Step()
		if s.Claim != model.ClaimSpan {
			continue
		}
		claims++
		switch {
		case step.Proof.Kind == stages.ProofNone:
			require.Equal(t, model.NoProof, s.Proof, s.Name)
		case s.Name == "runc.create", s.Name == "runc.create.exit":
			// It was executed as a runtime's create, and it did exit: so much is true.
			require.Equal(t, model.Proved, s.Proof, s.Name)
		default:
			require.Equal(t, model.Unproved, s.Proof, "%s: %s", s.Name, s.Because)
			require.NotEmpty(t, s.Because, s.Name)
		}
	}
	require.Greater(t, claims, 20)
	require.Equal(t, model.Unproved, spansOf(trace, "runc.init.pivot_root")[0].Proof)
	require.Empty(t, spansOf(trace, "container.running"))
}

// TestNoKernel: without the kernel's side the same claims are there, none is proved, and the reason is stated.
func TestNoKernel(t *testing.T) {
	tr := start(t, "--no-kernel", "no BPF rights: bpf(2) operation not permitted")
	ctx := tr.begin(0)
	tr.run(ctx, nil, actor(t, "liar-runc"), "create", "some-id")
	trace := tr.end(ctx)
	require.Equal(t, []string{"kernel rows absent: no BPF rights: bpf(2) operation not permitted"}, trace.Notes)
	require.Empty(t, trace.Events)
	require.NotEmpty(t, trace.Spans)
	for _, s := range trace.Spans {
		require.Equal(t, model.NoProof, s.Proof, s.Name)
	}
	require.Contains(t, spansOf(trace, "runc.init.pivot_root")[0].Because, "no BPF rights")
}
