package span

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"time"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// A gate stands at the beginning of each step: Start is where the stage debugger stops a run and where a fault strikes. Gates belong to one
// trace, whose id says that it has them ([NewGatedTrace]); so the fact travels wherever the context does, and for all other runs a gate is
// one comparison. hull-trace keeps the gates (docs/seams.md, section 4): a step of a gated trace asks there and waits for the answer. If
// nobody answers, the gate is open.

// gated begins the id of a trace that has gates: "gate" in ASCII. A trace id is free to have a structure (W3C Trace Context, "trace-id"; the
// random part is the rest); one of a foreign program that begins so by chance asks once per step, and is told to go on.
const gated = "gate"

// NewGatedTrace is [NewTrace] for a run that is to be stopped or disturbed at its steps.
func NewGatedTrace() Context {
	c := NewTrace()
	copy(c.Trace[:], gated)
	return c
}

// Gated reports whether the steps of this trace ask before they begin.
func (c Context) Gated() bool { return string(c.Trace[:len(gated)]) == gated }

// A question is what a step says at its gate. The answer is two native 32-bit numbers, so that a process that runs no Go code can read it:
// an errno with which the step is to fail, or 0, and why.
type question struct {
	Trace    string `json:"trace"`
	Step     string `json:"step"`
	Instance string `json:"instance,omitempty"`
	Call     string `json:"call,omitempty"` // a row of init's table: the system call
	Inner    bool   `json:"inner,omitempty"`
	Program  string `json:"program"`
}

// Why a step is to fail.
const (
	struck = 1 // by a fault
	ended  = 2 // the debugger has ended the run
)

// pass waits at the gate of a step. The error is what the step is to fail with.
func (s scope) pass(id stages.ID) error {
	fd, ok := dial(s.rec.gates(), 0)
	if !ok {
		return nil
	}
	defer unix.Close(fd)
	packet := encode("pass", question{Trace: s.ctx.TraceID(), Step: id.String(), Program: s.rec.Service})
	if retry(func() error { return unix.Sendto(fd, packet, unix.MSG_NOSIGNAL, nil) }) != nil {
		return nil
	}
	var answer [8]byte
	var n int
	err := retry(func() (err error) { n, err = unix.Read(fd, answer[:]); return err })
	if err != nil || n != len(answer) {
		return nil
	}
	errno, why := syscall.Errno(binary.NativeEndian.Uint32(answer[:])), binary.NativeEndian.Uint32(answer[4:])
	if errno == 0 {
		return nil
	}
	return GateError(id, "", errno, int(why))
}

// GateError is the error of a step that failed because its gate said so, and why: with the numbers of an answer.
func GateError(id stages.ID, thing string, errno syscall.Errno, why int) error {
	e := &stages.Error{Step: id, Kind: stages.Internal, Thing: thing, Err: errno, Hint: "a fault, asked for with --fault"}
	if why == ended {
		e.Kind, e.Err, e.Hint = stages.Unavailable, fmt.Errorf("the debugger has ended the run"), ""
	}
	return e
}

// Fault is the error that this step's gate wants it to fail with; nil nearly always. A step asks before it has done anything.
func (sp *Span) Fault() error {
	if sp == nil {
		return nil
	}
	return sp.fault
}

// Ungated is ctx for steps that are done under a lock which containers share: a run that is held there would hold the others. They have no gate.
func Ungated(ctx context.Context) context.Context {
	s, ok := innermost(ctx)
	if !ok || !s.ctx.Gated() {
		return ctx
	}
	s.free = true
	return s.into(ctx)
}

// Limit is [context.WithTimeout], but for a run with gates: at those it may be held for as long as somebody reads.
func Limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if Current(ctx).Gated() {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

// Abandoned waits until the debugger of the context's run is gone, and calls cleanUp if it left the run for others to clean up: it was killed
// at a stop, or told to end the run. It returns at once for a run without a debugger.
func Abandoned(ctx context.Context, cleanUp func()) {
	s, ok := innermost(ctx)
	if !ok || !s.ctx.Gated() {
		return
	}
	fd, ok := dial(s.rec.gates(), 0)
	if !ok {
		return
	}
	defer unix.Close(fd) // only after cleanUp: hull-trace tells whoever waits for that
	packet := encode("hold", question{Trace: s.ctx.TraceID(), Program: s.rec.Service})
	if retry(func() error { return unix.Sendto(fd, packet, unix.MSG_NOSIGNAL, nil) }) != nil {
		return
	}
	var answer [8]byte
	var n int
	err := retry(func() (err error) { n, err = unix.Read(fd, answer[:]); return err })
	if err == nil && n == len(answer) && binary.NativeEndian.Uint32(answer[4:]) == ended {
		cleanUp()
	}
}

// A Gate is the connection of a process that runs no Go code: hull-runc's child, which inherits it and sends the questions that were
// written for it.
type Gate struct {
	FD    int
	trace string
	name  string
}

// OpenGate connects to the context's gates. Without any, or when nobody keeps them, it is nil.
func OpenGate(ctx context.Context) *Gate {
	s, ok := innermost(ctx)
	if !ok || !s.ctx.Gated() {
		return nil
	}
	fd, ok := dial(s.rec.gates(), 0)
	if !ok {
		return nil
	}
	return &Gate{FD: fd, trace: s.ctx.TraceID(), name: s.rec.Service}
}

// Question is the packet that asks whether a row may run. inner says that it is not its step's first.
func (g *Gate) Question(id stages.ID, instance, call string, inner bool) []byte {
	return encode("pass", question{Trace: g.trace, Step: id.String(), Instance: instance, Call: call, Inner: inner, Program: g.name})
}

func encode(kind string, q question) []byte {
	packet, _ := json.Marshal(map[string]question{kind: q}) // strings and a bool always encode
	return packet
}

// gates is the socket of the gates: beside that of the spans.
func (r *Recorder) gates() string {
	return r.Socket[:strings.LastIndexByte(r.Socket, '/')+1] + "gates.sock"
}

func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
