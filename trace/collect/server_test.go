package collect_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages/probetest"
	"hull/trace/model"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

const off = "--no-kernel=not asked for"

// message is the error's text of an answer.
type message struct{ Message string }

func TestAPI(t *testing.T) {
	tr := start(t, off)
	ctx := tr.begin(0)
	id := ctx.TraceID()

	var m message
	require.Equal(t, 409, tr.call("POST", "/traces", map[string]any{"id": id}, &m))
	require.Contains(t, m.Message, id)
	require.Equal(t, 400, tr.call("POST", "/traces", map[string]any{"id": "XYZ"}, &m))
	require.Equal(t, 400, tr.call("POST", "/traces", "not an object", &m))
	require.Equal(t, 404, tr.call("PATCH", "/traces/"+span.NewTrace().TraceID(), map[string]string{"container": "x"}, &m))
	require.Equal(t, 404, tr.call("GET", "/traces/ffff", nil, &m))
	require.Equal(t, 409, tr.call("DELETE", "/traces/"+id, nil, &m))
	require.Equal(t, 400, tr.call("GET", "/traces/"+id+"/export?format=pdf", nil, &m))
	require.Contains(t, m.Message, "pdf")

	container := strings.Repeat("ab", 32)
	require.Equal(t, 200, tr.call("PATCH", "/traces/"+id, map[string]string{"container": container}, nil))
	trace := tr.end(ctx)
	require.Equal(t, container, trace.Container)
	require.NotZero(t, trace.End)

	var list []model.Summary
	require.Equal(t, 200, tr.call("GET", "/traces", nil, &list))
	require.Len(t, list, 1)
	require.Equal(t, trace.Summary(), list[0])
	for _, ref := range []string{id, id[:6], "last", container} {
		var got model.Trace
		require.Equal(t, 200, tr.call("GET", "/traces/"+ref, nil, &got), ref)
		require.Equal(t, id, got.ID)
		require.Equal(t, 200, tr.call("GET", "/traces/"+ref+"/export?format=json", nil, &got))
	}
	require.Equal(t, 204, tr.call("DELETE", "/traces/"+id, nil, nil))
	require.Equal(t, 404, tr.call("GET", "/traces/last", nil, &m))
}

// TestModes looks from outside at what others could reach.
func TestModes(t *testing.T) {
	tr := start(t, off)
	ctx := tr.begin(0)
	tr.end(ctx)
	for path, mode := range map[string]os.FileMode{
		tr.inst.Run: 0o700, tr.inst.Traces(): 0o700, tr.inst.SpanSocket(): 0o600, tr.inst.TraceSocket(): 0o600,
		filepath.Join(tr.inst.Traces(), ctx.TraceID()+".json"): 0o600, tr.inst.PIDFile("hull-trace"): 0o600,
	} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

// TestRestart: a second one is refused while the first lives; after it, old traces are there and one that went on is marked.
func TestRestart(t *testing.T) {
	root := t.TempDir()
	first := startAt(t, root, off)
	done := first.begin(0)
	first.end(done)
	cut := first.begin(0)

	out, err := exec.Command(program, "--root", root, off).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "another process runs already, pid ")
	first.stop()
	require.NoFileExists(t, first.inst.TraceSocket())

	second := startAt(t, root, off)
	var got model.Trace
	require.Equal(t, 200, second.call("GET", "/traces/"+done.TraceID(), nil, &got))
	require.NotZero(t, got.End)
	require.Equal(t, 200, second.call("GET", "/traces/"+cut.TraceID(), nil, &got))
	require.Contains(t, strings.Join(got.Notes, "; "), "hull-trace was stopped while the run went on")
}

// TestPush: a finished trace reaches a collector, kernel rows included, in both of OTLP's forms.
func TestPush(t *testing.T) {
	probetest.Need(t, "root")
	t.Run("http", pushHTTP)
	t.Run("grpc", pushGRPC)
}

// A receiver is a collector's side of OTLP over gRPC.
type receiver struct {
	collector.UnimplementedTraceServiceServer
	got chan *collector.ExportTraceServiceRequest
}

func (r receiver) Export(_ context.Context, m *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.got <- m
	return &collector.ExportTraceServiceResponse{}, nil
}

func pushGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := grpc.NewServer()
	r := receiver{got: make(chan *collector.ExportTraceServiceRequest, 1)}
	collector.RegisterTraceServiceServer(srv, r)
	go srv.Serve(l)
	defer srv.Stop()
	push(t, "grpc://"+l.Addr().String(), r.got)
}

func pushHTTP(t *testing.T) {
	got := make(chan *collector.ExportTraceServiceRequest, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var m collector.ExportTraceServiceRequest
		if proto.Unmarshal(body, &m) == nil && req.URL.Path == "/v1/traces" {
			got <- &m
		}
	}))
	defer srv.Close()
	push(t, srv.URL, got)
}

func push(t *testing.T, endpoint string, got <-chan *collector.ExportTraceServiceRequest) {
	tr := start(t, "--otlp", endpoint)
	ctx := tr.begin(0)
	tr.run(ctx, nil, "/bin/true")
	trace := tr.end(ctx)
	names := map[string]bool{}
	for _, rs := range (<-got).ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				names[s.Name] = true
				require.Len(t, s.TraceId, 16)
			}
		}
	}
	require.True(t, names["client.payload"])
	if len(trace.Events) > 0 {
		require.True(t, names["kernel.exec"] && names["kernel.exit"], "%v", names)
	}
}
