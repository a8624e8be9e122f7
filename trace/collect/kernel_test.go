package collect_test

import (
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestKernelEvents follows a small tree of foreign programs from its fork to its exit code.
func TestKernelEvents(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	ctx := tr.begin(0)
	quit := make(chan struct{})
	go func() { // somebody else's processes, at the same time
		defer close(quit)
		for range 20 {
			exec.Command("/bin/true").Run()
		}
	}()
	tr.run(ctx, nil, "/bin/sh", "-c", "unshare --mount --uts --pid --fork sh -c 'hostname glass; mount -t tmpfs none /mnt; exit 3' || test $? = 3")
	<-quit
	trace := tr.end(ctx)
	require.Empty(t, trace.Notes)
	require.Zero(t, trace.Lost)

	first := eventsOf(trace, "exec")[0]
	require.Equal(t, ctx.String(), first.Args["traceparent"])
	unshare := eventsOf(trace, "unshare")[0]
	require.Equal(t, "CLONE_NEWNS|CLONE_NEWPID|CLONE_NEWUTS", unshare.Args["flags"])
	host, err := os.Readlink("/proc/self/ns/mnt")
	require.NoError(t, err)
	require.NotEqual(t, strings.Trim(strings.TrimPrefix(host, "mnt:"), "[]"), unshare.Args["ns.mnt"])
	require.Equal(t, "glass", eventsOf(trace, "sethostname")[0].Args["name"])
	mounts := eventsOf(trace, "mount")
	last := mounts[len(mounts)-1]
	delete(last.Args, "flags") // busybox's mount says MS_SILENT
	require.Equal(t, map[string]string{"source": "none", "target": "/mnt", "fstype": "tmpfs"}, last.Args)
	require.Positive(t, last.Duration)

	var inner, outer *model.Process
	for i, p := range trace.Processes {
		require.NotEqual(t, "/bin/true", p.Exe, "an untracked process is in the trace")
		if p.NSPID == 1 {
			inner = &trace.Processes[i]
		}
		if p.Exe == "/usr/bin/unshare" {
			outer = &trace.Processes[i]
		}
	}
	require.NotNil(t, inner)
	require.NotNil(t, outer)
	require.Equal(t, 3, *inner.Exit)
	require.Equal(t, outer.Proc, inner.Parents[0].Proc)
	require.True(t, inner.Born >= outer.Born && inner.Died <= outer.Died)
}

// TestKernelReparent: an orphan goes to the nearest subreaper, and the kernel is seen giving it there. Of a parent's parent that ignores SIGCHLD the
// kernel does not speak: then the new parent is predicted, and the event says so.
func TestKernelReparent(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	t.Run("observed", func(t *testing.T) { reparent(t, tr, "", "") })
	t.Run("predicted", func(t *testing.T) { reparent(t, tr, "deaf", "yes") })
}

func reparent(t *testing.T, tr *tracer, how, predicted string) {
	ctx := tr.begin(0)
	cmd := tr.command(ctx, []string{"ORPHANER=" + how}, actor(t, "orphaner"))
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(stdout, make([]byte, len("alone\n")))
	require.NoError(t, err)
	stdin.Close()
	require.NoError(t, cmd.Wait())
	trace := tr.end(ctx)
	moved := eventsOf(trace, "reparent")
	require.Len(t, moved, 1)
	require.Equal(t, strconv.Itoa(cmd.Process.Pid), moved[0].Args["new"])
	require.Equal(t, predicted, moved[0].Args["predicted"])
	for _, p := range trace.Processes {
		if p.Proc == moved[0].Proc {
			require.Len(t, p.Parents, 2)
			require.Equal(t, strconv.Itoa(p.Parents[0].Proc.PID), moved[0].Args["old"])
			require.Equal(t, cmd.Process.Pid, p.Parents[1].Proc.PID)
			require.NotNil(t, p.Exit)
		}
	}
	var taken bool
	for _, e := range eventsOf(trace, "wait") {
		taken = taken || e.Proc.PID == cmd.Process.Pid && e.Args["pid"] == strconv.Itoa(moved[0].Proc.PID)
	}
	require.Equal(t, how == "", taken, "the new parent's wait is in the trace")
}

// TestKernelFlood: 200,000 system calls in a row: each one is in the trace or counted as lost.
func TestKernelFlood(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, nil, actor(t, "flood"))
	trace := tr.end(ctx)
	got := uint64(0)
	for _, e := range eventsOf(trace, "prctl") {
		if e.Args["option"] == "PR_GET_DUMPABLE" {
			got++
		}
	}
	t.Logf("%d seen, %d lost", got, trace.Lost.Events)
	require.LessOrEqual(t, got, uint64(200_000))
	require.GreaterOrEqual(t, got+trace.Lost.Events, uint64(200_000))
}

// TestKernelPrivacy: of the environment nothing but TRACEPARENT leaves the kernel, wherever the secret stands; and user data of a mount does
// not either.
func TestKernelPrivacy(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, []string{"AFTER=hunter2-after"}, "/bin/sh", "-c",
		"exec env -i FIRST=hunter2-first TRACEPARENT=$TRACEPARENT unshare -m /bin/sh -c 'PATH=/bin:/usr/bin; mount -t tmpfs -o size=4k,mode=1732 none /mnt'")
	trace := tr.end(ctx)
	require.NotEmpty(t, eventsOf(trace, "mount"))
	text, err := os.ReadFile(tr.inst.Traces() + "/" + ctx.TraceID() + ".json")
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter2-after")
	// env's own argument list names it: the command line is what the user typed. No event but that exec may.
	for _, e := range trace.Events {
		if strings.Contains(e.Args["argv"], "env -i") {
			continue
		}
		for k, v := range e.Args {
			require.NotContains(t, v, "hunter2", k)
			if e.Kind == "mount" {
				require.NotContains(t, v, "1732")
			}
		}
	}
}
