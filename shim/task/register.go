package task

import (
	"context"

	"hull/shim/ttrpc"
	"hull/shim/wire"
	"hull/trace/span"
)

// A Tracer joins calls to traces.
type Tracer struct {
	Recorder *span.Recorder
	Started  span.Context // the trace in which this shim was started: of calls that name none
}

// Services are the two names under which containerd may call the service: containerd.task.v3.Task has the same methods and messages.
func (s *Service) Services(t Tracer) map[string]map[string]ttrpc.Handler {
	methods := map[string]ttrpc.Handler{
		"State": ttrpc.Method(s.State), "Create": ttrpc.Method(s.Create), "Start": ttrpc.Method(s.Start), "Delete": ttrpc.Method(s.Delete),
		"Pids": ttrpc.Method(s.Pids), "Pause": ttrpc.Method(s.Pause), "Resume": ttrpc.Method(s.Resume), "Checkpoint": ttrpc.Method(s.Checkpoint),
		"Kill": ttrpc.Method(s.Kill), "Exec": ttrpc.Method(s.Exec), "ResizePty": ttrpc.Method(s.ResizePty), "CloseIO": ttrpc.Method(s.CloseIO),
		"Update": ttrpc.Method(s.Update), "Wait": ttrpc.Method(s.Wait), "Stats": ttrpc.Method(s.Stats), "Connect": ttrpc.Method(s.Connect),
		"Shutdown": ttrpc.Method(s.Shutdown),
	}
	for name, method := range methods {
		methods[name] = t.around(method)
	}
	return map[string]map[string]ttrpc.Handler{"containerd.task.v2.Task": methods, "containerd.task.v3.Task": methods}
}

// around stands before every call: it joins the caller's trace (metadata "traceparent"), and hands over the call's spans.
func (t Tracer) around(next ttrpc.Handler) ttrpc.Handler {
	return func(ctx context.Context, payload []byte) (wire.Message, error) {
		parent := t.Started
		if c := span.Parse(ttrpc.Metadata(ctx, "traceparent")); c.Valid() {
			parent = c
		}
		defer t.Recorder.Flush()
		return next(t.Recorder.Join(ctx, parent), payload)
	}
}
