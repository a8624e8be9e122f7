package bpf

import (
	"os/exec"
	"strings"
	"testing"

	"hull/stages"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

const (
	traceID     = "0123456789abcdef0123456789abcdef"
	traceparent = "TRACEPARENT=00-" + traceID + "-00000000000000aa-01"
	handle      = 7
)

// open is a tracer with system calls attached and one trace begun.
func open(t *testing.T) *Tracer {
	probetest.Need(t, "root", "btf")
	tr, err := Open()
	require.NoError(t, err)
	t.Cleanup(tr.Close)
	require.NoError(t, tr.Syscalls(true))
	require.NoError(t, tr.Begin(traceID, handle))
	return tr
}

// run executes a shell line in the trace and returns all of its events.
func run(t *testing.T, tr *Tracer, env []string, line string) []Event {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return flush(t, tr)
}

func flush(t *testing.T, tr *Tracer) (all []Event) {
	require.NoError(t, tr.Flush())
	for {
		var e Event
		err := tr.Read(&e)
		if err == ErrFlushed {
			return all
		}
		require.NoError(t, err)
		all = append(all, e)
	}
}

func of(kind stages.Event, all []Event) (some []Event) {
	for _, e := range all {
		if e.Kind == kind {
			some = append(some, e)
		}
	}
	return some
}

func TestKernelUnshare(t *testing.T) {
	tr := open(t)
	all := run(t, tr, []string{traceparent, "PATH=/usr/bin:/bin:/usr/sbin:/sbin"},
		"unshare --mount --uts --pid --fork sh -c 'hostname glass; mount -t tmpfs none /mnt; exit 3' || test $? = 3")
	for _, e := range all {
		t.Log(e.Kind, e.Proc, e.Comm, e.Call, e.Args, e.Ret)
	}
	require.NotEmpty(t, of(stages.EventExec, all))
	require.True(t, strings.HasPrefix(of(stages.EventExec, all)[0].Traceparent, "00-"+traceID))
}
