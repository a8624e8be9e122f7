package cli

import (
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// traceOptions are run's own flags about watching it.
type traceOptions struct {
	trace    bool
	traceOut []string
	level    string // how much of the trace is told
}

// define has nothing for create: what is traced is a run.
func (o *traceOptions) define(*pflag.FlagSet) {}

func (o *traceOptions) defineRun(f *pflag.FlagSet) {
	defineTrace(f, &o.trace, &o.level)
	f.Var(listValue{&o.traceOut, checkTraceOut}, "trace-out", "Write the trace to a `file` (.json Jaeger, .otlp.json, .html, .txt); implies --trace")
}

// recorded reports whether the trace is to be shown.
func (o *traceOptions) recorded() bool { return o.trace || len(o.traceOut) > 0 }

// apply has nothing to say: that a run is traced is in no request (docs/seams.md, section 4).
func (o *traceOptions) apply(*engine.CreateRequest) error { return nil }
