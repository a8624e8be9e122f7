// Package otel joins trace/span to the OpenTelemetry SDK, for the long-lived binaries that can afford it (hulld, hull-containerd): the
// spans of otelhttp and otelgrpc and our steps become one tree, sent over one socket. In short-lived binaries it must not be linked.
//
// A daemon wires it once, and then uses otelhttp and otelgrpc as their documentation says:
//
//	rec := span.New("hulld", socket, true)
//	tracing := otel.Join(rec)                       // after it rec's spans and the SDK's nest in each other
//	defer tracing.Close(ctx)                        // before rec.Close
//	handler = otelhttp.NewHandler(tracing.Handler(handler), "api", otelhttp.WithTracerProvider(tracing.Provider), otelhttp.WithPropagators(otel.W3C))
//	grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler(tracing.GRPC()...)), grpc.ChainUnaryInterceptor(tracing.Unary))
//	grpc.NewClient(address, grpc.WithStatsHandler(otelgrpc.NewClientHandler(tracing.GRPC()...)))
//
// Only a request that carries a sampled traceparent, or is inside of a span of ours, is traced: all others cost one look at a context.
// The SDK's spans carry no hull.step: they are shown, and nothing is held against them. Their events and links are left out.
package otel

import (
	"cmp"
	"context"
	"net/http"

	"hull/trace/span"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
)

// W3C is the one form in which contexts cross our borders: traceparent (https://www.w3.org/TR/trace-context/).
var W3C = propagation.TraceContext{}

// A Tracing is a recorder joined to an SDK. It is valid, and does nothing, for a nil recorder.
type Tracing struct {
	Provider *trace.TracerProvider
	rec      *span.Recorder
}

// Join makes the SDK's provider and the recorder's bridge to it.
func Join(rec *span.Recorder) *Tracing {
	// A root span is never sampled: a trace begins at a client of ours, not because somebody pings the daemon.
	options := []trace.TracerProviderOption{trace.WithSampler(trace.ParentBased(trace.NeverSample()))}
	if rec != nil {
		rec.Bridge = bridge{}
		options = append(options, trace.WithSpanProcessor(trace.NewSimpleSpanProcessor(exporter{rec}))) // the recorder never waits
	}
	return &Tracing{Provider: trace.NewTracerProvider(options...), rec: rec}
}

// Close ends the SDK; spans that end later are lost.
func (t *Tracing) Close(ctx context.Context) error { return t.Provider.Shutdown(ctx) }

// Handler stands inside of otelhttp's handler: it makes the request's span the parent of our steps.
func (t *Tracing) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(t.Enter(r.Context())))
	})
}

// Unary does for gRPC what Handler does for HTTP. [Tracing.Enter] is for streams.
func (t *Tracing) Unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(t.Enter(ctx), req)
}

// Enter makes the SDK's span in ctx the parent of our steps; without a sampled one ctx stays as it is.
func (t *Tracing) Enter(ctx context.Context) context.Context {
	return t.rec.Join(ctx, bridge{}.Get(ctx))
}

// GRPC are otelgrpc's options for servers and clients.
func (t *Tracing) GRPC() []otelgrpc.Option {
	return []otelgrpc.Option{otelgrpc.WithTracerProvider(t.Provider), otelgrpc.WithPropagators(W3C)}
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
				f.Attrs = append(f.Attrs, span.Attr{Key: string(kv.Key), Str: kv.Value.Emit()})
			}
		}
		e.rec.Pass(f)
	}
	return nil
}
