package collect_test

import (
	"testing"
	"time"

	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestKernelDetached: the client leaves, the container lives on. The trace is there at once, and complete when the container has ended: those
// rows are late.
func TestKernelDetached(t *testing.T) {
	runc := debianRunc(t)
	dir, id := bundle(t, "read line; exit 5")
	tr := start(t)
	ctx := tr.begin(0)
	cmd := tr.command(ctx, nil, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { // a foreign runtime: its container runs when the kernel has seen it
		var now model.Trace
		return tr.call("GET", "/traces/last", nil, &now) == 200 && len(spansOf(&now, "container.running")) == 1
	}, time.Minute, 20*time.Millisecond)

	trace := tr.end(ctx)
	require.Zero(t, trace.End)
	require.Equal(t, id, trace.Container)
	require.Empty(t, spansOf(trace, "container.exit"))
	var summaries []model.Summary
	require.Equal(t, 200, tr.call("GET", "/traces", nil, &summaries))
	require.Len(t, summaries, 1, "stored and going on, it is one trace")

	stdin.Close()
	require.NoError(t, cmd.Wait())
	require.Eventually(t, func() bool {
		require.Equal(t, 200, tr.call("GET", "/traces/"+id, nil, &trace))
		return trace.End != 0
	}, time.Minute, 20*time.Millisecond)
	exit := spansOf(trace, "container.exit")
	require.Len(t, exit, 1)
	require.True(t, exit[0].Late)
	require.Contains(t, exit[0].Because, "code=5")
	require.Equal(t, "hull-shim", trace.Summary().Reparented)
}
