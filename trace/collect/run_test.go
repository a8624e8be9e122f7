package collect

import (
	"testing"

	"hull/stages"
	"hull/trace/bpf"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestAliveInAnyOrder: a daemon's fork reaches the run only when its thread's span has come, which may be after the child's exit. The child
// is not alive for that.
func TestAliveInAnyOrder(t *testing.T) {
	daemon, child := model.Proc{PID: 10, Start: 1}, model.Proc{PID: 20, Start: 5}
	fork := event{bpf.Event{Kind: stages.EventClone, Proc: daemon, Other: child}, 1}
	exec := event{bpf.Event{Kind: stages.EventExec, Proc: child}, 2}
	exit := event{bpf.Event{Kind: stages.EventExit, Proc: child}, 3}
	for name, order := range map[string][]event{
		"as it was": {fork, exec, exit}, "the fork last": {exec, exit, fork}, "the fork in between": {exec, fork, exit},
	} {
		r := &run{alive: map[model.Proc]bool{}}
		for _, e := range order {
			r.addEvent(e)
		}
		require.Zero(t, r.othersAlive(), name)
	}
	r := &run{alive: map[model.Proc]bool{}}
	r.addEvent(fork)
	require.Equal(t, 1, r.othersAlive())
}
