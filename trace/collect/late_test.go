package collect_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/model"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
)

// readBack are the steps that are proved by reading a state back, and that somebody claims in a run of a runtime below a shim.
var readBack = []stages.ID{
	stages.ContainerdSnapshotPrepare, stages.DaemonContainerCreate, stages.BundleCreate, stages.BundleRootfs, stages.BundleConfig, stages.ShimStdioOpen,
	stages.ShimExitRecord, stages.DaemonExitObserve, stages.RuncCgroupLimits, stages.RuncInitSysctl, stages.RuncInitConsole, stages.RuncNsUsermap,
	stages.RuncInitWaitStart, stages.RuncStateSave,
}

// claim has the test itself claim steps, as if other programs did.
func (tr *tracer) claim(ctx span.Context, steps ...stages.ID) {
	for _, id := range steps {
		span.Record(tr.rec.Join(context.Background(), ctx), span.Finished{Step: id, Start: time.Now(), End: time.Now()})
	}
}

// TestKernelTooLate: a whole run passes while hull-trace gets no time, as on a busy machine, and everything it would have looked at is gone. What
// only a look could prove is neither proved nor held against the program, and says why; what the events show is proved all the same.
func TestKernelTooLate(t *testing.T) {
	probetest.Need(t, "root", "btf", "busybox")
	runc := probetest.Build(t, "hull-runc")
	dir, id := bundle(t, "exit 3")
	tr := start(t)
	ctx := tr.begin(0)
	require.NoError(t, tr.cmd.Process.Signal(syscall.SIGSTOP))
	tr.run(ctx, nil, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, tr.cmd.Process.Signal(syscall.SIGCONT))
	tr.claim(ctx, readBack...)
	trace := tr.end(ctx)
	require.Zero(t, trace.Lost)
	for _, s := range trace.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
	}
	for _, step := range readBack {
		for _, s := range spansOf(trace, step.String()) {
			switch step {
			case stages.RuncInitWaitStart: // the events alone tell
				require.Equal(t, model.Proved, s.Proof, s.Because)
			case stages.DaemonExitObserve: // there is no record: with --rm that is how it ought to be
				require.Equal(t, model.Proved, s.Proof, s.Because)
			default:
				require.Equal(t, model.NoProof, s.Proof, "%s: %s", s.Name, s.Because)
				require.Regexp(t, "too late|could not be", s.Because, s.Name)
			}
		}
	}
	require.Equal(t, model.Proved, spansOf(trace, "runc.init.pivot_root")[0].Proof)
	require.Contains(t, spansOf(trace, "container.exit")[0].Because, "code=3")
}

// TestKernelNoRuntime: a run that ends before any runtime is executed. Nothing led to a look: that is no word against those who made ready for it,
// but it is one against who claims a runtime's work.
func TestKernelNoRuntime(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	ctx := tr.begin(0)
	tr.claim(ctx, readBack...)
	trace := tr.end(ctx)
	for _, step := range readBack {
		want := model.NoProof
		if step.Step().Stage == stages.Runc || step == stages.ShimExitRecord || step == stages.DaemonExitObserve {
			want = model.Unproved
		}
		some := spansOf(trace, step.String())
		require.NotEmpty(t, some, "%s is not in the trace: %+v", step, trace.Lost)
		s := some[0]
		require.Equal(t, want, s.Proof, "%s: %s", s.Name, s.Because)
		require.NotEmpty(t, s.Because)
	}
}

// TestKernelMissing: the looks that come in time find out who claims what is not there: a shim without its record, a daemon without its own, a root
// without a writable layer.
func TestKernelMissing(t *testing.T) {
	probetest.Need(t, "root", "btf", "busybox")
	runc := probetest.Build(t, "hull-runc")
	dir, id := bundle(t, "read line; exit 3")
	tr := start(t)
	ctx := tr.begin(0)
	cmd := tr.command(ctx, []string{"SHIM=forgetful"}, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { // hull-trace has looked at the container
		var now model.Trace
		return tr.call("GET", "/traces/last", nil, &now) == 200 && len(spansOf(&now, "container.running")) == 1
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
	tr.claim(ctx, stages.ShimExitRecord, stages.RuncInitConsole, stages.RuncNsUsermap)
	trace := tr.end(ctx)
	for _, step := range []stages.ID{stages.ShimExitRecord, stages.RuncInitConsole, stages.RuncNsUsermap} {
		s := spansOf(trace, step.String())[0]
		require.Equal(t, model.Unproved, s.Proof, "%s: %s", s.Name, s.Because)
	}
	require.Contains(t, spansOf(trace, stages.ShimExitRecord.String())[0].Because, "no such file")
}

// TestKernelStartedAgain: the daemon's record tells of a later life of the container than the one in the trace.
func TestKernelStartedAgain(t *testing.T) {
	probetest.Need(t, "root", "btf", "busybox")
	runc := probetest.Build(t, "hull-runc")
	for _, again := range []bool{false, true} {
		dir, id := bundle(t, "exit 3")
		tr := start(t)
		ctx := tr.begin(0)
		tr.run(ctx, nil, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
		started := time.Now().Add(-time.Hour)
		if again {
			started = time.Now()
		}
		at := filepath.Join(tr.inst.LibContainers(), id)
		require.NoError(t, os.MkdirAll(at, 0o700))
		text, err := json.Marshal(map[string]any{"ID": id, "State": map[string]any{"Status": "running", "StartedAt": started}})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(at, "container.json"), text, 0o600))
		tr.claim(ctx, stages.DaemonExitObserve)
		s := spansOf(tr.end(ctx), stages.DaemonExitObserve.String())[0]
		if again {
			require.Equal(t, model.NoProof, s.Proof)
			require.Contains(t, s.Because, "started again")
		} else {
			require.Equal(t, model.Unproved, s.Proof, "a daemon that has not noticed is found out")
		}
	}
}

// TestKernelClientExit: a client shows the trace before it leaves. Its exit is the trace's last row, and comes when it comes.
func TestKernelClientExit(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	client := exec.Command("/bin/sh", "-c", "read line; exit 4")
	stdin, err := client.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, client.Start())
	pid := client.Process.Pid
	ctx := tr.begin(pid)
	span.Record(tr.rec.Join(context.Background(), ctx), span.Finished{
		Step: stages.ClientExit, Start: time.Now(), End: time.Now(), PID: pid, PIDStart: startOf(t, pid),
	})
	trace := tr.end(ctx)
	require.NotZero(t, trace.End, "the trace is complete")
	exit := spansOf(trace, stages.ClientExit.String())[0]
	require.Equal(t, model.NoProof, exit.Proof)
	require.Contains(t, exit.Because, "before it leaves")

	_, err = io.WriteString(stdin, "go\n")
	require.NoError(t, err)
	require.Error(t, client.Wait())
	require.Equal(t, 200, tr.call("GET", "/traces/last", nil, &trace))
	exit = spansOf(trace, stages.ClientExit.String())[0]
	require.Equal(t, model.Proved, exit.Proof, exit.Because)
	require.Contains(t, exit.Because, "code=4")
	require.Len(t, eventsOf(trace, "exit"), 1, "and nothing else came after the end")
	require.Equal(t, 204, tr.call("DELETE", "/traces/last", nil, nil))
}

// TestKernelClientStays: clients that do not leave do not use up the places for traces.
func TestKernelClientStays(t *testing.T) {
	probetest.Need(t, "root", "btf")
	tr := start(t)
	for range 10 {
		answers := make(chan [2]int)
		for range 60 { // all together more than may go on at once
			go func() {
				id := span.NewTrace().TraceID()
				begun := tr.call("POST", "/traces", map[string]any{"id": id, "pid": os.Getpid(), "command": []string{"test"}}, nil)
				answers <- [2]int{begun, tr.call("POST", "/traces/"+id+"/end", nil, nil)}
			}()
		}
		for range 60 {
			require.Equal(t, [2]int{201, 200}, <-answers)
		}
	}
	require.Equal(t, 204, tr.call("DELETE", "/traces/last", nil, nil))
}

func startOf(t *testing.T, pid int) uint64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	require.NoError(t, err)
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	start, err := strconv.ParseUint(f[19], 10, 64)
	require.NoError(t, err)
	return start
}
