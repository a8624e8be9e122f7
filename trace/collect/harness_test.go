package collect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages"
	"hull/stages/instance"
	"hull/stages/probetest"
	"hull/trace/model"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
)

// A tracer is a hull-trace of the test's own, in a private root.
type tracer struct {
	t    *testing.T
	inst instance.Instance
	cmd  *exec.Cmd
	http *http.Client
	rec  *span.Recorder
	root *span.Span // of the trace that was begun last
}

var program string // hull-trace, built once

func start(t *testing.T, args ...string) *tracer {
	return startAt(t, t.TempDir(), args...)
}

func startAt(t *testing.T, root string, args ...string) *tracer {
	if program == "" {
		dir, err := os.MkdirTemp("", "hull-trace-test")
		require.NoError(t, err)
		program = filepath.Join(dir, "hull-trace")
		require.NoError(t, os.Rename(probetest.Build(t, "hull-trace"), program))
	}
	inst, err := instance.At(root)
	require.NoError(t, err)
	tr := &tracer{t: t, inst: inst}
	tr.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return instance.Dial(ctx, "unix", inst.TraceSocket())
	}}}
	tr.cmd = exec.Command(program, append([]string{"--root", root}, args...)...)
	stderr, err := tr.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, tr.cmd.Start())
	ready := make(chan bool, 1)
	var log bytes.Buffer
	go func() { // its first lines, up to "ready"; then the rest
		buf := make([]byte, 4096)
		told := false
		for {
			n, err := stderr.Read(buf)
			log.Write(buf[:n])
			if !told && (err != nil || bytes.Contains(log.Bytes(), []byte(`"ready"`))) {
				told = true
				ready <- err == nil
			}
			if err != nil {
				return
			}
		}
	}()
	require.True(t, <-ready, "hull-trace did not start: %s", log.String())
	t.Cleanup(func() {
		tr.stop()
		if t.Failed() {
			t.Logf("hull-trace: %s", log.String())
		}
	})
	return tr
}

// stop ends it as hull down does.
func (tr *tracer) stop() {
	if tr.cmd.ProcessState == nil {
		tr.cmd.Process.Signal(os.Interrupt)
		tr.cmd.Wait()
	}
}

// call does one request and decodes the answer into into, unless that is nil. It returns the status.
func (tr *tracer) call(method, path string, body, into any) int {
	var r io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(tr.t, err)
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, "http://trace"+path, r)
	require.NoError(tr.t, err)
	resp, err := tr.http.Do(req)
	require.NoError(tr.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(tr.t, err)
	if into != nil {
		require.NoError(tr.t, json.Unmarshal(text, into), "%s", text)
	}
	return resp.StatusCode
}

// begin starts a trace and returns the context under which children are to run.
func (tr *tracer) begin(pid int) span.Context {
	ctx := span.NewTrace()
	var answer struct {
		Kernel bool
		Reason string
	}
	require.Equal(tr.t, 201, tr.call("POST", "/traces", map[string]any{"id": ctx.TraceID(), "pid": pid, "command": []string{"test"}}, &answer))
	tr.rec = span.New("test", tr.inst.SpanSocket(), true)
	_, tr.root = span.Start(tr.rec.Join(context.Background(), ctx), stages.ClientPayload) // a step that nothing can prove
	return tr.root.Context()
}

// end ends the trace and returns it whole.
func (tr *tracer) end(ctx span.Context) *model.Trace {
	tr.root.End(nil)
	tr.rec.Close()
	require.Equal(tr.t, 200, tr.call("POST", "/traces/"+ctx.TraceID()+"/end", nil, nil))
	var t model.Trace
	require.Equal(tr.t, 200, tr.call("GET", "/traces/"+ctx.TraceID(), nil, &t))
	return &t
}

// run executes a program in the trace.
func (tr *tracer) run(ctx span.Context, env []string, argv ...string) {
	out, err := tr.command(ctx, env, argv...).CombinedOutput()
	require.NoError(tr.t, err, "%s: %s", strings.Join(argv, " "), out)
}

func (tr *tracer) command(ctx span.Context, env []string, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(append(span.Env(ctx, tr.inst.SpanSocket()), "PATH=/usr/sbin:/usr/bin:/sbin:/bin"), env...)
	return cmd
}

func spansOf(t *model.Trace, name string) (some []model.Span) {
	for _, s := range t.Spans {
		if s.Name == name {
			some = append(some, s)
		}
	}
	return some
}

func eventsOf(t *model.Trace, kind string) (some []model.Event) {
	for _, e := range t.Events {
		if e.Kind == kind {
			some = append(some, e)
		}
	}
	return some
}
