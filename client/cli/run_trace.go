package cli

import (
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// traceOptions are run's own flags about watching it.
type traceOptions struct {
	trace    bool
	traceOut []string
}

func (o *traceOptions) define(f *pflag.FlagSet) {
	f.BoolVar(&o.trace, "trace", false, "Record every step, and print the timeline to STDERR after the container's output")
	f.Var(listValue{&o.traceOut, checkTraceOut}, "trace-out", "Write the trace to a `file` (.json Jaeger, .otlp.json, .html, .txt); implies --trace")
}

// recorded reports whether the trace is to be shown.
func (o *traceOptions) recorded() bool { return o.trace || len(o.traceOut) > 0 }

// apply has nothing to say: that a run is traced is in no request (docs/seams.md, section 4).
func (o *traceOptions) apply(*engine.CreateRequest) error { return nil }
