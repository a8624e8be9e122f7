package collect_test

import (
	"bufio"
	"context"
	"testing"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
)

// TestKernelEnviron: a program that the traced one starts with TRACEPARENT somewhere in its environment, and not first, belongs to the span that it
// names. It waits for us, so that /proc still has it.
func TestKernelEnviron(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	ctx := tr.begin(0)
	_, inner := span.Start(tr.rec.Join(context.Background(), ctx), stages.DaemonSpec) // a step that is not the shell's own
	line := "AAA=1 exec env -i BBB=2 TRACEPARENT=" + inner.Context().String() + " CCC=3 sh -c 'echo here; read line'"
	cmd := tr.command(ctx, nil, "/bin/sh", "-c", "("+line+")")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "here\n", said)
	require.Equal(t, 200, tr.call("GET", "/traces/"+ctx.TraceID(), nil, nil)) // every event of before is taken
	stdin.Close()
	cmd.Wait()
	inner.End(nil)
	trace := tr.end(ctx)
	found := 0
	for _, e := range eventsOf(trace, "exec") {
		switch e.Args["argv"] {
		case "sh -c echo here; read line":
			found++
			require.Equal(t, spansOf(trace, "daemon.spec")[0].ID, e.Span)
			require.False(t, e.Guess)
		default:
			require.Equal(t, spansOf(trace, "client.payload")[0].ID, e.Span, "%v", e.Args)
		}
	}
	require.Equal(t, 1, found)
}
