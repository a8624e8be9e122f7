package collect_test

import (
	"context"
	"encoding/binary"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestKernelMarker: of a process that is not in the trace only a marked thread is recorded, under the span that it named, and what that thread
// starts is tracked. The mark is made by hand here, as trace/span does it for steps that are kernel work.
func TestKernelMarker(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	root := tr.begin(0)
	rec := span.New("hulld", tr.inst.SpanSocket(), true)
	defer rec.Close()
	_, sp := span.Start(rec.Join(context.Background(), root), stages.DaemonNetworkPlug)
	id := sp.Context().Span
	require.NoError(t, exec.Command("/bin/echo", "unmarked").Run())

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mark := func(id [8]byte) {
		lo, hi := binary.LittleEndian.Uint32(id[:4]), binary.LittleEndian.Uint32(id[4:])
		require.Equal(t, unix.EINVAL, unix.Prctl(span.Magic, uintptr(lo), uintptr(hi), 0, 0))
	}
	mark(id)
	require.NoError(t, unix.Prctl(unix.PR_SET_THP_DISABLE, 0, 0, 0, 0)) // changes nothing
	require.NoError(t, exec.Command("/bin/echo", "marked").Run())
	mark([8]byte{})
	require.NoError(t, unix.Prctl(unix.PR_SET_THP_DISABLE, 0, 0, 0, 0))
	sp.End(nil)
	trace := tr.end(root)

	claim := spansOf(trace, "daemon.network.plug")[0]
	calls, started := 0, 0
	for _, e := range trace.Events {
		require.NotContains(t, e.Args["argv"], "unmarked")
		switch {
		case e.Args["option"] == "PR_SET_THP_DISABLE":
			calls++
			require.Equal(t, claim.ID, e.Span)
		case e.Kind == "exec" && strings.HasSuffix(e.Args["argv"], "echo marked"):
			started++
			require.Equal(t, claim.ID, e.Span)
		}
	}
	require.Equal(t, 1, calls, "one call was made under the mark, one after it")
	require.Equal(t, 1, started)
}
