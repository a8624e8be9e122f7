package modeltest_test

import (
	"testing"

	"hull/stages"
	"hull/trace/model/modeltest"

	"github.com/stretchr/testify/require"
)

// TestRun holds the made-up run to the catalogue: every step of a plain run is in it, under its parent where that is open.
func TestRun(t *testing.T) {
	run := modeltest.Run()
	seen := map[string]int{}
	ids := map[string]bool{}
	for _, s := range run.Spans {
		require.NotEmpty(t, s.Step().Name, s.Name)
		require.False(t, ids[s.ID])
		require.LessOrEqual(t, s.Start, s.End)
		ids[s.ID] = true
		seen[s.Name]++
	}
	for _, step := range stages.All() {
		if !step.Has(stages.Optional) && step.ID != stages.RuncExec && step.ID != stages.RuncKill {
			require.NotZero(t, seen[step.Name], step.Name)
		}
	}
	sum := run.Summary()
	require.Equal(t, len(run.Spans), sum.Steps)
	require.Zero(t, sum.Unproved)
	require.Equal(t, "hull-shim", sum.Reparented)
	require.Equal(t, 1, modeltest.Liar().Summary().Unproved)
	for i := 1; i < len(run.Events); i++ {
		require.LessOrEqual(t, run.Events[i-1].Time, run.Events[i].Time)
	}
	t.Logf("%d spans, %d events, %d processes, %d proved", len(run.Spans), len(run.Events), len(run.Processes), sum.Proved)
}
