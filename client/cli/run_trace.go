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

// define has nothing for create: what is traced is a run.
func (o *traceOptions) define(*pflag.FlagSet) {}

func (o *traceOptions) defineRun(f *pflag.FlagSet) {
	f.BoolVar(&o.trace, "trace", false, "Record every step, and print the timeline to STDERR after the container's output")
	f.Var(listValue{&o.traceOut, checkTraceOut}, "trace-out", "Write the trace to a `file` (.json Jaeger, .otlp.json, .html, .txt); implies --trace")
}

// apply has nothing to say: that a run is traced is in no request (docs/seams.md, section 4).
func (o *traceOptions) apply(*engine.CreateRequest) error { return nil }
