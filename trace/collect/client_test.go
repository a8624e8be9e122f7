package collect_test

import (
	"context"
	"os/exec"
	"testing"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/model"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
)

// TestKernelClientThatClaimsNothing: for a client that knows nothing of hull-trace (a real docker) hulld begins the trace, and its steps have no
// parent. The client's process becomes the root, its exit ends the trace, and whoever asks for the last trace then gets the whole.
func TestKernelClientThatClaimsNothing(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	client := exec.Command("/bin/sh", "-c", "read line; /bin/echo sent")
	stdin, err := client.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, client.Start())
	trace := span.NewTrace()
	require.Equal(t, 201, tr.call("POST", "/traces", map[string]any{"id": trace.TraceID(), "pid": client.Process.Pid, "command": []string{"docker", "run"}}, nil))
	rec := span.New("hulld", tr.inst.SpanSocket(), true)
	defer rec.Close()
	for _, step := range []stages.ID{stages.DaemonCreate, stages.DaemonTaskCreate} {
		_, sp := span.Start(rec.Join(context.Background(), trace), step)
		sp.End(nil)
	}
	_, err = stdin.Write([]byte("go\n"))
	require.NoError(t, err)
	require.NoError(t, client.Wait())

	var got model.Trace
	require.Equal(t, 200, tr.call("GET", "/traces/last", nil, &got))
	require.NotZero(t, got.End, "the trace is complete without anybody's word")
	root := spansOf(&got, stages.ClientCommand.String())
	require.Len(t, root, 1)
	require.Equal(t, client.Process.Pid, root[0].Proc.PID)
	require.Equal(t, model.ClaimKernel, root[0].Claim)
	require.Equal(t, model.Proved, root[0].Proof, root[0].Because)
	for _, s := range got.Spans {
		if s.ID != root[0].ID {
			require.Equal(t, root[0].ID, s.Parent, s.Name)
		}
	}
	for _, e := range got.Events {
		require.NotEmpty(t, e.Span, "%s %v", e.Kind, e.Args)
		require.False(t, e.Guess, "%s %v", e.Kind, e.Args)
	}
	require.NotEmpty(t, eventsOf(&got, "exec"), "what the client starts is in its trace")
}

// TestKernelEndpoint: hull status asks whether the kernel's side can be had.
func TestKernelEndpoint(t *testing.T) {
	var answer struct {
		Kernel bool
		Reason string
	}
	require.Equal(t, 200, start(t, "--no-kernel", "this test").call("GET", "/kernel", nil, &answer))
	require.False(t, answer.Kernel)
	require.Equal(t, "this test", answer.Reason)
	probetest.Need(t, "root", "btf")
	require.Equal(t, 200, start(t).call("GET", "/kernel", nil, &answer))
	require.True(t, answer.Kernel)
	require.Empty(t, answer.Reason)
}
