// Package otel joins trace/span to the OpenTelemetry SDK, for the long-lived binaries that can afford it (hulld, hull-containerd): the
// spans of otelhttp and otelgrpc and our steps become one tree, sent over one socket. In short-lived binaries it must not be linked.
//
// A daemon wires it once, and then uses otelhttp and otelgrpc as their documentation says:
//
//	rec := span.New("hulld", socket, true)
//	tracing := otel.Join(rec, record)               // after it rec's spans and the SDK's nest in each other
//	defer tracing.Close(ctx)                        // before rec.Close
//	handler = tracing.Handler("api", handler)
//	grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler(tracing.GRPC()...)), grpc.ChainUnaryInterceptor(tracing.Unary))
//	grpc.NewClient(address, grpc.WithStatsHandler(otelgrpc.NewClientHandler(tracing.GRPC()...)))
//
// Only a request that carries a sampled traceparent, or is inside of a span of ours, is traced: all others cost one look at a context.
//
// Without record the libraries carry the context across the border and open no spans: each call of the run is a step of ours already
// (docs/adr/0009-propagation-only.md). With it the SDK's spans are in the trace as well. They carry no hull.step: they are shown, and nothing is
// held against them. Their events and links are left out.
package otel

import (
	"cmp"
	"context"
	"net/http"

	"hull/trace/span"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	metrics "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
)

// W3C is the one form in which contexts cross our borders: traceparent (https://www.w3.org/TR/trace-context/).
var W3C = propagation.TraceContext{}

// A Tracing is a recorder joined to an SDK. It is valid, and does nothing, for a nil recorder.
type Tracing struct {
	Provider api.TracerProvider
	rec      *span.Recorder
	record   bool
	close    func(context.Context) error
}

// Join makes the provider and the recorder's bridge to it. With record it is the SDK's, whose spans go to the recorder; else a span of the
// library's is its parent's place and nothing more.
func Join(rec *span.Recorder, record bool) *Tracing {
	if rec != nil {
		rec.Bridge = bridge{}
	}
	if rec == nil || !record {
		return &Tracing{Provider: noop.NewTracerProvider(), rec: rec, close: func(context.Context) error { return nil }}
	}
	// A root span is never sampled: a trace begins at a client of ours, not because somebody pings the daemon.
	provider := trace.NewTracerProvider(trace.WithSampler(trace.ParentBased(trace.NeverSample())),
		trace.WithSpanProcessor(trace.NewSimpleSpanProcessor(exporter{rec}))) // the recorder never waits
	return &Tracing{Provider: provider, rec: rec, record: true, close: provider.Shutdown}
}

// Close ends the SDK; spans that end later are lost.
func (t *Tracing) Close(ctx context.Context) error { return t.close(ctx) }

// Handler makes the request's place in the trace the parent of next's steps. Trap: otelhttp puts its own http.ResponseWriter around the server's,
// from which [http.MaxBytesReader] then cannot tell the server to stop reading; a client that sends too much finds a broken pipe in place of the
// answer. So otelhttp stands there only to record, and then [ServerWriter] is what to give it; else the header is read by the same propagator.
func (t *Tracing) Handler(name string, next http.Handler) http.Handler {
	inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(t.Enter(r.Context())))
	})
	if !t.record {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inside(w, r.WithContext(W3C.Extract(r.Context(), propagation.HeaderCarrier(r.Header))))
		})
	}
	recorded := otelhttp.NewHandler(inside, name, otelhttp.WithTracerProvider(t.Provider), otelhttp.WithPropagators(W3C),
		otelhttp.WithMeterProvider(metrics.NewMeterProvider()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), serverWriter{}, w)))
	})
}

type serverWriter struct{}

// ServerWriter is the server's own writer for a request that w answers: what http.MaxBytesReader wants.
func ServerWriter(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	if own, ok := r.Context().Value(serverWriter{}).(http.ResponseWriter); ok {
		return own
	}
	return w
}

// Unary stands inside of otelgrpc's handler, as Handler's inner one does. [Tracing.Enter] is for streams.
func (t *Tracing) Unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(t.Enter(ctx), req)
}

// Enter makes the SDK's span in ctx the parent of our steps; without a sampled one ctx stays as it is.
func (t *Tracing) Enter(ctx context.Context) context.Context {
	return t.rec.Join(ctx, bridge{}.Get(ctx))
}

// GRPC are otelgrpc's options for servers and clients.
func (t *Tracing) GRPC() []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(t.Provider), otelgrpc.WithPropagators(W3C), otelgrpc.WithMeterProvider(metrics.NewMeterProvider()),
	}
}

// A bridge keeps the innermost span in the SDK's own place in the context. After each Start of ours it is ours, after each of the SDK's it
// is the SDK's, so that whoever starts the next one finds the right parent.
type bridge struct{}

func (bridge) Put(ctx context.Context, c span.Context) context.Context {
	if !c.Valid() {
		return ctx
	}
	return api.ContextWithSpanContext(ctx, api.NewSpanContext(api.SpanContextConfig{TraceID: c.Trace, SpanID: c.Span, TraceFlags: api.FlagsSampled}))
}

func (bridge) Get(ctx context.Context) span.Context {
	c := api.SpanContextFromContext(ctx)
	if !c.IsValid() || !c.IsSampled() {
		return span.Context{}
	}
	return span.Context{Trace: c.TraceID(), Span: c.SpanID()}
}

// An exporter hands the SDK's finished spans to the recorder.
type exporter struct{ rec *span.Recorder }

func (e exporter) Shutdown(context.Context) error { return nil }

func (e exporter) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	for _, s := range spans {
		f := span.Finished{
			Context: span.Context{Trace: s.SpanContext().TraceID(), Span: s.SpanContext().SpanID()}, Parent: s.Parent().SpanID(),
			Foreign: cmp.Or(s.Name(), "unnamed"), Kind: int(s.SpanKind()), Start: s.StartTime(), End: s.EndTime(),
		}
		if s.Status().Code == codes.Error {
			f.Error = s.Status().Description
			if f.Error == "" {
				f.Error = "error"
			}
		}
		for _, kv := range s.Attributes() {
			if kv.Value.Type() == attribute.INT64 {
				f.Attrs = append(f.Attrs, span.Attr{Key: string(kv.Key), Int: kv.Value.AsInt64()})
			} else {
				f.Attrs = append(f.Attrs, span.Attr{Key: string(kv.Key), Str: kv.Value.String()})
			}
		}
		e.rec.Pass(f)
	}
	return nil
}
