package collect_test

import (
	"testing"

	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

func TestKernelShell(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, nil, "/bin/sh", "-c", "unshare --mount --uts --pid --fork sh -c 'hostname glass; mount -t tmpfs none /mnt; exit 3' || test $? = 3")
	trace := tr.end(ctx)
	for _, p := range trace.Processes {
		t.Logf("%+v", p)
	}
	for _, e := range trace.Events {
		t.Logf("%+v", e)
	}
	for _, s := range trace.Spans {
		t.Logf("%+v", s)
	}
	require.Empty(t, trace.Notes)
	require.NotEmpty(t, eventsOf(trace, "mount"))
}
