package engine

import (
	"context"

	"hull/trace/span"
)

// A runTrace is the trace that a create belongs to.
type runTrace struct {
	parent span.Context // the client's own, if it brought one
	id     string
	owned  bool // hulld made it, because the client cannot
}

// traceFor finds the request's trace: the client's, or a new one if this run is to be traced all the same. hull-trace follows the client's
// process from then on; what the client did before its first request is not in such a trace.
func (e *Engine) traceFor(ctx context.Context, req CreateRequest) (context.Context, runTrace) {
	if at := span.Current(ctx); at.Valid() {
		return ctx, runTrace{parent: at, id: at.TraceID()}
	}
	if e.tracing.rec == nil || !e.tracing.hull.Wanted(req.Config.Labels) {
		return ctx, runTrace{}
	}
	root := span.NewTrace()
	if err := e.tracing.hull.Begin(ctx, root.TraceID(), req.ClientPID); err != nil {
		logError("hull-trace: the run is not traced", "", err)
		return ctx, runTrace{}
	}
	return e.tracing.rec.Join(ctx, root), runTrace{id: root.TraceID(), owned: true}
}

// endTrace tells hull-trace that the run is over. It does not wait: nobody else waits for the trace's completion.
func (e *Engine) endTrace(id string) {
	go func() { logError("hull-trace: end", "", e.tracing.hull.End(context.Background(), id)) }()
}
