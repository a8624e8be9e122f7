package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hull/client/engine"
	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span"
)

// A tracing is one recorded command, from the announcement to the printed timeline.
type tracing struct {
	a      *app
	tracer engine.Tracer
	rec    *span.Recorder
	id     string
}

// traced runs a command, recorded if the user asks for it. The timeline comes after the command's own output, and the exit code stays
// the command's: watching changes nothing. For the same reason an absent hull-trace is a warning.
func (a *app) traced(ctx context.Context, o *runOptions, run func(context.Context, *runOptions) error) error {
	if o.debugOptions.gated() {
		return a.debugged(ctx, o, run)
	}
	if !o.recorded() {
		return run(ctx, o)
	}
	inst, err := a.instance()
	if err != nil {
		return &exit{125, err}
	}
	parent := span.NewTrace()
	t, err := a.beginTrace(ctx, inst, parent)
	if err != nil {
		fmt.Fprintf(a.err, "hull: warning: this run is not traced: %v\n", err)
		return run(ctx, o)
	}
	code := t.record(ctx, parent, o, run, func() {})
	t.finish(ctx, o.traceOut, o.level)
	return &exit{code: code}
}

// record runs the command as the root of the trace, settles what else has to say something, reports the end, and returns the exit code.
func (t *tracing) record(ctx context.Context, parent span.Context, o *runOptions, run func(context.Context, *runOptions) error, settle func()) int {
	traced, command := span.Start(t.rec.Join(ctx, parent), stages.ClientCommand)
	err := command.Fault()
	if err == nil {
		err = run(traced, o)
	} else {
		err = failed(err)
	}
	// A container's exit code is no failure of this step; what is still to be said about one is said before the timeline.
	var e *exit
	failure := err
	if errors.As(err, &e) {
		failure = e.err
	}
	command.End(&failure)
	settle()
	return t.a.report(err)
}

// beginTrace announces the trace, before the first call: what this process does from now on is recorded.
func (a *app) beginTrace(ctx context.Context, inst instance.Instance, parent span.Context) (*tracing, error) {
	t := &tracing{a: a, tracer: engine.Tracer{Socket: inst.TraceSocket()}, id: parent.TraceID()}
	if _, err := t.tracer.Begin(ctx, t.id, os.Getpid(), append([]string{"hull"}, a.args...)); err != nil {
		return nil, err
	}
	t.rec = span.New("hull", inst.SpanSocket(), false)
	return t, nil
}

// finish hands over this process's claims, waits until the trace is complete, and shows it.
func (t *tracing) finish(ctx context.Context, files []string, level string) {
	t.rec.Close()
	_, err := t.tracer.End(ctx, t.id)
	if err == nil {
		err = t.tracer.Show(ctx, t.id, timeline(t.a.err, level), t.a.err)
	}
	for _, file := range files {
		if err == nil {
			err = exportFile(ctx, t.tracer, t.id, formatOf(file), file)
		}
	}
	if err != nil {
		fmt.Fprintf(t.a.err, "hull: warning: the trace cannot be shown: %v\n", err)
	}
}

// traceFormats are the forms of a trace by a file's suffix; the first that fits counts.
var traceFormats = []struct{ suffix, format string }{
	{".otlp.json", "otlp"}, {".json", "jaeger"}, {".html", "html"}, {".txt", "text"},
}

// formatOf is the form for a file's name, or "".
func formatOf(file string) string {
	for _, f := range traceFormats {
		if strings.HasSuffix(file, f.suffix) {
			return f.format
		}
	}
	return ""
}

func checkTraceOut(file string) (string, error) {
	if formatOf(file) == "" {
		return "", errors.New("the suffix says the form: .json (Jaeger), .otlp.json, .html or .txt")
	}
	return file, nil
}

// exportFile writes the trace to a file: whole, or not at all.
func exportFile(ctx context.Context, t engine.Tracer, id, format, file string) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // 0600: a trace is its owner's
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	err = t.Export(ctx, id, format, tmp)
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.Rename(tmp.Name(), file)
}
