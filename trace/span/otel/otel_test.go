package otel_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"hull/stages"
	"hull/trace/span"
	"hull/trace/span/otel"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
)

// A received is one span as hull-trace gets it.
type received struct {
	*tracepb.Span
	service string
}

func (r received) attr(key string) string {
	for _, a := range r.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// listen stands in hull-trace's place: a SOCK_SEQPACKET socket, each packet one TracesData, read with the real protobuf types.
func listen(t *testing.T) (socket string, next func() received) {
	socket = filepath.Join(t.TempDir(), "spans.sock")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	spans := make(chan received, 64)
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for buf := make([]byte, 1<<16); ; {
					n, err := c.Read(buf)
					if err != nil || n == 0 {
						return
					}
					var data tracepb.TracesData
					if proto.Unmarshal(buf[:n], &data) != nil {
						continue
					}
					for _, r := range data.ResourceSpans {
						for _, s := range r.ScopeSpans[0].Spans {
							spans <- received{s, r.Resource.Attributes[0].Value.GetStringValue()}
						}
					}
				}
			}()
		}
	}()
	return socket, func() received {
		select {
		case s := <-spans:
			return s
		case <-time.After(20 * time.Second):
			t.Fatal("no more spans")
			return received{}
		}
	}
}

// supervisor is the containerd of this test: a gRPC service with a step of ours inside.
type supervisor struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (supervisor) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	_, sp := span.Start(ctx, stages.ContainerdTaskCreate)
	sp.End(nil)
	return &grpc_health_v1.HealthCheckResponse{}, nil
}

// TestOneTree follows one request through a real otelhttp server, a step, a real otelgrpc client and server, and a step behind it: each
// is the child of the one before, though three libraries made them in two services.
func TestOneTree(t *testing.T) {
	spans := oneTree(t, true, 5)
	parent := spans["client"].SpanId
	for _, name := range []string{
		"hulld SPAN_KIND_SERVER ", "hulld SPAN_KIND_INTERNAL daemon.task.create", "hulld SPAN_KIND_CLIENT ",
		"hull-containerd SPAN_KIND_SERVER ", "hull-containerd SPAN_KIND_INTERNAL containerd.task.create",
	} {
		s, ok := spans[name]
		require.True(t, ok, "no span %q", name)
		require.Equal(t, parent, s.ParentSpanId, name)
		parent = s.SpanId
	}
	require.Equal(t, "grpc.health.v1.Health/Check", spans["hulld SPAN_KIND_CLIENT "].Name)
}

// TestPropagationOnly: the same libraries carry the context and open no spans of their own, so that our steps follow each other.
func TestPropagationOnly(t *testing.T) {
	spans := oneTree(t, false, 2)
	create := spans["hulld SPAN_KIND_INTERNAL daemon.task.create"]
	require.Equal(t, spans["client"].SpanId, create.ParentSpanId)
	require.Equal(t, create.SpanId, spans["hull-containerd SPAN_KIND_INTERNAL containerd.task.create"].ParentSpanId)
}

// oneTree makes three requests, of which one is traced, and returns its spans, n of them, by service, kind and step; "client" is the caller's.
func oneTree(t *testing.T, record bool, n int) map[string]received {
	socket, next := listen(t)
	newTracing := func(service string) *otel.Tracing {
		rec := span.New(service, socket, true)
		tracing := otel.Join(rec, record)
		t.Cleanup(func() { tracing.Close(context.Background()); rec.Close() })
		return tracing
	}

	containerd := newTracing("hull-containerd")
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "c.sock"))
	require.NoError(t, err)
	server := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler(containerd.GRPC()...)), grpc.ChainUnaryInterceptor(containerd.Unary))
	grpc_health_v1.RegisterHealthServer(server, supervisor{})
	go server.Serve(l)
	defer server.Stop()

	daemon := newTracing("hulld")
	conn, err := grpc.NewClient("unix://"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(daemon.GRPC()...)))
	require.NoError(t, err)
	defer conn.Close()
	handler := func(w http.ResponseWriter, r *http.Request) {
		ctx, sp := span.Start(r.Context(), stages.DaemonTaskCreate)
		_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		sp.End(&err)
	}
	api := httptest.NewServer(daemon.Handler("api", http.HandlerFunc(handler)))
	defer api.Close()

	get := func(traceparent string) {
		req, err := http.NewRequest("GET", api.URL, nil)
		require.NoError(t, err)
		req.Header.Set("traceparent", traceparent)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode)
		res.Body.Close()
	}
	get("")                                                        // nobody asked for a trace
	get("00-11111111111111111111111111111111-1111111111111111-00") // a trace that its own sampler left out
	client := span.Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	get(client.String())

	got := map[string]received{"client": {Span: &tracepb.Span{SpanId: client.Span[:]}}}
	for range n {
		s := next()
		require.Equal(t, client.Trace[:], s.TraceId, "only the third request is traced")
		got[s.service+" "+s.Kind.String()+" "+s.attr(stages.AttrStep)] = s
	}
	return got
}

// TestCurrent: what is sent to a child by other means (an environment, a ttrpc header) is the innermost span, whoever's it is.
func TestCurrent(t *testing.T) {
	socket, _ := listen(t)
	rec := span.New("hulld", socket, true)
	tracing := otel.Join(rec, true)
	defer tracing.Close(context.Background())
	defer rec.Close()

	ctx := rec.Join(context.Background(), span.Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
	ctx, ours := span.Start(ctx, stages.DaemonTaskStart)
	require.Equal(t, ours.Context(), span.Current(ctx))
	ctx, theirs := tracing.Provider.Tracer("test").Start(ctx, "in between")
	require.Equal(t, span.Context{Trace: theirs.SpanContext().TraceID(), Span: theirs.SpanContext().SpanID()}, span.Current(ctx))
	ctx, inner := span.Start(ctx, stages.DaemonNetworkPlug)
	require.Equal(t, inner.Context(), span.Current(ctx))
}

// TestUntraced: without a recorder everything works and records nothing.
func TestUntraced(t *testing.T) {
	tracing := otel.Join(nil, true)
	defer tracing.Close(context.Background())
	ctx := tracing.Enter(context.Background())
	_, theirs := tracing.Provider.Tracer("test").Start(ctx, "x")
	require.False(t, theirs.IsRecording())
	require.False(t, span.Current(ctx).Valid())
}
