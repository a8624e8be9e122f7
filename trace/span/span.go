// Package span is the only way to open a span. A span is the program's own claim that a step of the catalogue happened; hull-trace
// lays the kernel's proof beside it.
//
//	ctx, sp := span.Start(ctx, stages.RuncCreate)
//	defer sp.End(&err)
//
// Start takes a stages.ID, so that no span has a name the catalogue does not know. Without a recorder in the context it returns the
// context as it is and a nil *Span, whose methods do nothing: an untraced run pays no allocation and no system call (a test holds that).
//
// Finished spans go to hull-trace over a SOCK_SEQPACKET socket, in the OpenTelemetry protocol's own encoding (otlp.go), without
// waiting: a run is never slower, and never fails, because nobody listens. Long-lived binaries send each span as it ends; short-lived
// ones send all at Recorder.Close.
//
// The package imports the standard library, x/sys and the catalogue. trace/span/otel joins it to the OpenTelemetry SDK for the
// binaries that can afford that.
package span

import (
	"context"
	"runtime"
	"sync"
	"time"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// Magic is prctl(2)'s first argument in a thread marker: prctl(Magic, span id's low half, high half) says "this thread works for that
// span from here on", and with 0, 0 "no more". The kernel answers EINVAL; the eBPF program at sys_enter reads it on the way.
// ("hull" in ASCII; no prctl option has that number.)
const Magic = 0x6875_6c6c

// A Span is one claim being made. A nil *Span is valid and does nothing.
type Span struct {
	rec      *Recorder
	ctx      Context
	parent   [8]byte
	id       stages.ID
	instance string
	start    time.Time
	tid      int
	marked   bool
	fault    error // what the gate wants the step to fail with

	mu    sync.Mutex
	attrs []Attr
	ended bool
}

// An Attr is one attribute: a string, or a number if Str is empty.
type Attr struct {
	Key string
	Str string
	Int int64
}

type key struct{}

// scope is what a context carries: where spans go, and under which one.
type scope struct {
	rec  *Recorder
	ctx  Context
	free bool // steps ask at no gate
}

// Join puts the remote (or new) parent and the recorder into the context: spans started from it belong to parent's trace. With a nil
// recorder, or a parent without a trace id, it returns ctx unchanged.
func (r *Recorder) Join(ctx context.Context, parent Context) context.Context {
	if r == nil || parent.Trace == [16]byte{} {
		return ctx
	}
	return scope{rec: r, ctx: parent}.into(ctx)
}

// into puts the scope into the context, and into the bridge's part of it.
func (s scope) into(ctx context.Context) context.Context {
	if s.rec.Bridge != nil {
		ctx = s.rec.Bridge.Put(ctx, s.ctx)
	}
	return context.WithValue(ctx, key{}, s)
}

// innermost is the context's scope at its innermost open span, which may be the bridge's.
func innermost(ctx context.Context) (s scope, ok bool) {
	if s, ok = ctx.Value(key{}).(scope); ok && s.rec.Bridge != nil {
		if theirs := s.rec.Bridge.Get(ctx); theirs.Valid() && theirs.Trace == s.ctx.Trace {
			s.ctx = theirs
		}
	}
	return s, ok
}

// Current is the innermost open span's place in the trace, to be sent across a process boundary; invalid if nothing is traced.
func Current(ctx context.Context) Context {
	s, _ := innermost(ctx)
	return s.ctx
}

// Start opens the claim that step id begins now, under the context's current span. It is the step's gate as well (gate.go): a debugger may
// hold it here, and the caller asks [Span.Fault] whether it is to fail.
func Start(ctx context.Context, id stages.ID) (context.Context, *Span) {
	s, ok := innermost(ctx)
	if !ok {
		return ctx, nil
	}
	var fault error
	if s.ctx.Gated() && !s.free {
		fault = s.pass(id)
	}
	sp := &Span{rec: s.rec, ctx: Context{Trace: s.ctx.Trace, Span: newSpanID()}, parent: s.ctx.Span, id: id, start: time.Now(), fault: fault}
	if s.rec.Marks && id.Step().Has(stages.Kernel) {
		runtime.LockOSThread()
		sp.marked = true
		mark(sp.ctx.Span)
	}
	sp.tid = unix.Gettid()
	return scope{s.rec, sp.ctx, s.free}.into(ctx), sp
}

// mark tells the kernel side which span this thread works for.
func mark(id [8]byte) {
	lo := uintptr(id[0]) | uintptr(id[1])<<8 | uintptr(id[2])<<16 | uintptr(id[3])<<24
	hi := uintptr(id[4]) | uintptr(id[5])<<8 | uintptr(id[6])<<16 | uintptr(id[7])<<24
	unix.Syscall6(unix.SYS_PRCTL, Magic, lo, hi, 0, 0, 0)
}

// Instance says which one of a repeated step this is: a mount's target, a device's path.
func (sp *Span) Instance(name string) {
	if sp != nil {
		sp.instance = name
	}
}

// Set adds a string attribute.
func (sp *Span) Set(key, value string) {
	if sp != nil {
		sp.add(Attr{Key: key, Str: value})
	}
}

// SetInt adds a numeric attribute.
func (sp *Span) SetInt(key string, value int64) {
	if sp != nil {
		sp.add(Attr{Key: key, Int: value})
	}
}

func (sp *Span) add(a Attr) {
	sp.mu.Lock()
	sp.attrs = append(sp.attrs, a)
	sp.mu.Unlock()
}

// Context is the span's place in the trace.
func (sp *Span) Context() Context {
	if sp == nil {
		return Context{}
	}
	return sp.ctx
}

// End closes the claim. With an err that points to an error, the span says that the step failed and how. A second End does nothing.
func (sp *Span) End(err *error) {
	if sp == nil {
		return
	}
	sp.mu.Lock()
	if sp.ended {
		sp.mu.Unlock()
		return
	}
	sp.ended = true
	sp.mu.Unlock()
	if sp.marked {
		mark([8]byte{})
		runtime.UnlockOSThread()
	}
	f := Finished{Context: sp.ctx, Parent: sp.parent, Step: sp.id, Instance: sp.instance, Start: sp.start, End: time.Now(), TID: sp.tid, Attrs: sp.attrs}
	if err != nil && *err != nil {
		f.Error = (*err).Error()
	}
	sp.rec.take(f)
}

// A Bridge joins this package's contexts with those of another tracing library, so that its spans and ours nest in each other:
// trace/span/otel, in the binaries that have the OpenTelemetry SDK.
type Bridge interface {
	Put(ctx context.Context, c Context) context.Context // makes c the library's innermost span as well
	Get(ctx context.Context) Context                    // the library's innermost span: ours, put there, or a later one of its own
}

// A Finished is a claim with both its ends. Programs that measured a step themselves (hull-runc for its child's rows, which no Go code
// can run in) record one with [Record].
type Finished struct {
	Context  Context
	Parent   [8]byte
	Step     stages.ID
	Foreign  string // in place of Step: a bridge's own span's name. It is no step, gets no hull.step and no proof.
	Kind     int    // OpenTelemetry's SpanKind number for a foreign span; 0 is internal
	Instance string
	Start    time.Time
	End      time.Time
	TID      int    // thread, in the initial pid namespace; 0 if not known
	PID      int    // process, if it is not the recorder's own
	PIDStart uint64 // field 22 of /proc/PID/stat, with PID
	Error    string
	Attrs    []Attr
}

// Record adds a claim that is already over, under the context's current span; Context and Parent are filled in. It returns the
// claim's place in the trace.
func Record(ctx context.Context, f Finished) Context {
	s, ok := innermost(ctx)
	if !ok {
		return Context{}
	}
	f.Context = Context{Trace: s.ctx.Trace, Span: newSpanID()}
	f.Parent = s.ctx.Span
	s.rec.take(f)
	return f.Context
}

// Pass hands over a bridge's finished span; its Context, Parent and Foreign name are set. Nothing but a bridge calls it.
func (r *Recorder) Pass(f Finished) { r.take(f) }
