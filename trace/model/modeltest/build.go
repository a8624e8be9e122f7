package modeltest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"

	"hull/stages"
	"hull/trace/model"
)

// began is when the made-up runs begin.
const began = 1_700_000_000_000_000_000

// A builder writes a run down as it would happen: a clock that each action moves, and a stack of open steps.
type builder struct {
	t     *model.Trace
	now   int64
	spans int
	open  []int // indices into t.Spans: the open steps, innermost last
}

func newBuilder(id string, command ...string) *builder {
	return &builder{now: began, t: &model.Trace{Version: model.Version, ID: id, Command: command, Start: began}}
}

func us(n int64) int64 { return n * 1000 }

// wait lets time pass, in µs.
func (b *builder) wait(n int64) { b.now += us(n) }

// begin opens a step in process p; unless inside is given it is a child of the innermost open one.
func (b *builder) begin(id stages.ID, p int, instance string) int {
	b.spans++
	s := model.Span{
		ID: fmt.Sprintf("%016x", 0xa000+b.spans), Name: id.String(), Instance: instance, Proc: b.t.Processes[p].Proc, TID: b.t.Processes[p].Proc.PID,
		Service: id.Step().Stage.Binary(), Start: b.now, Claim: model.ClaimSpan, Attrs: map[string]string{},
	}
	if len(b.open) > 0 {
		s.Parent = b.t.Spans[b.open[len(b.open)-1]].ID
	}
	if s.Service == "" { // the container's own program opens no span: the kernel shows its steps
		s.Service, s.Claim = path.Base(b.t.Processes[p].Exe), model.ClaimKernel
	}
	b.t.Spans = append(b.t.Spans, s)
	b.open = append(b.open, len(b.t.Spans)-1)
	b.wait(30)
	return len(b.t.Spans) - 1
}

// end closes a step and decides its proof by the catalogue's rule, as far as this made-up world has evidence.
func (b *builder) end(i int) {
	s := &b.t.Spans[i]
	b.wait(20)
	s.End = b.now
	b.open = slices.DeleteFunc(b.open, func(o int) bool { return o == i })
	rule := s.Step().Proof
	switch rule.Kind {
	case stages.ProofNone:
		s.Proof, s.Because = model.NoProof, rule.Reason
	case stages.ProofState:
		s.Proof, s.Because = model.Proved, "read back: "+string(rule.State)
	case stages.ProofEvent:
		if len(s.Evidence) > 0 {
			e := b.t.Events[s.Evidence[0]]
			s.Proof, s.Because = model.Proved, "kernel."+e.Kind+" by "+e.Comm+" "+strconv.Itoa(e.Proc.PID)
		} else {
			s.Proof, s.Because = model.Unproved, "no kernel."+rule.Event.String()+" in this process in this time"
		}
	}
}

// step is begin, what happens in it, end.
func (b *builder) step(id stages.ID, p int, instance string, inside func()) {
	i := b.begin(id, p, instance)
	if inside != nil {
		inside()
	}
	b.end(i)
}

// resume makes an already open step the innermost one, for what happens in another process at the same time.
func (b *builder) resume(i int, inside func()) {
	saved := b.open
	b.open = append(slices.Clone(saved), i)
	inside()
	b.open = saved
}

// attrs adds attributes to the innermost open step: key, value, key, value.
func (b *builder) attrs(kv ...string) { maps.Copy(b.t.Spans[b.open[len(b.open)-1]].Attrs, pairs(kv)) }

func pairs(kv []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}

// event is one thing the kernel does in process p, taking d µs; it belongs to the innermost open step, and proves it if the rule says so.
func (b *builder) event(kind stages.Event, p int, d int64, call string, ret int64, kv ...string) int {
	b.wait(8 + d)
	e := model.Event{
		Kind: kind.String(), Time: b.now, Duration: us(d), Proc: b.t.Processes[p].Proc, TID: b.t.Processes[p].Proc.PID,
		Comm: b.t.Processes[p].Comm, Call: call, Ret: ret, Args: pairs(kv),
	}
	i := len(b.t.Events)
	if len(b.open) > 0 {
		s := &b.t.Spans[b.open[len(b.open)-1]]
		e.Span = s.ID
		rule := s.Step().Proof
		if rule.Kind == stages.ProofEvent && rule.Event == kind && len(s.Evidence) < 4 {
			s.Evidence = append(s.Evidence, i)
		}
	}
	b.t.Events = append(b.t.Events, e)
	return i
}

// daemon adds a process that was there before.
func (b *builder) daemon(pid int, stage stages.Stage, exe string) int {
	b.t.Processes = append(b.t.Processes, model.Process{
		Proc: model.Proc{PID: pid, Start: 88_000 + uint64(pid)}, Stage: stage.String(), Exe: exe, Comm: path.Base(exe), Threads: true,
	})
	return len(b.t.Processes) - 1
}

// fork adds a child of process parent; it runs its parent's program until it execs.
func (b *builder) fork(parent, pid int, stage stages.Stage, d int64, flags string, kv ...string) int {
	b.event(stages.EventClone, parent, d, "clone", int64(pid), append([]string{"flags", flags, "child", strconv.Itoa(pid)}, kv...)...)
	p := b.t.Processes[parent]
	b.t.Processes = append(b.t.Processes, model.Process{
		Proc: model.Proc{PID: pid, Start: 93_100 + uint64(pid)}, Stage: stage.String(), Exe: p.Exe, Comm: p.Comm, Born: b.now,
		Parents: []model.Parent{{Time: b.now, Proc: p.Proc}},
	})
	return len(b.t.Processes) - 1
}

func (b *builder) exec(p int, exe string, args ...string) {
	q := &b.t.Processes[p]
	q.Exe, q.Comm = exe, path.Base(exe)
	argv := fmt.Sprintf("%q", args)
	i := b.event(stages.EventExec, p, 350, "execve", 0, "exe", exe, "argv", argv)
	q.Execs = append(q.Execs, model.Exec{Time: b.t.Events[i].Time, Exe: exe, Args: args})
}

func (b *builder) exit(p, code int) {
	b.event(stages.EventExit, p, 0, "", 0, "code", strconv.Itoa(code))
	b.t.Processes[p].Died, b.t.Processes[p].Exit = b.now, &code
}

// reparent gives child to another parent, in the context of the old, dying one.
func (b *builder) reparent(child, from, to int) {
	c := &b.t.Processes[child]
	b.event(stages.EventReparent, from, 0, "", 0, "child", strconv.Itoa(c.Proc.PID),
		"old", strconv.Itoa(b.t.Processes[from].Proc.PID), "new", strconv.Itoa(b.t.Processes[to].Proc.PID))
	c.Parents = append(c.Parents, model.Parent{Time: b.now, Proc: b.t.Processes[to].Proc})
}

// done closes the trace: spans in the order of their start, evidence already by index.
func (b *builder) done() *model.Trace {
	b.t.End = b.now
	slices.SortStableFunc(b.t.Spans, func(x, y model.Span) int { return int(x.Start - y.Start) })
	return b.t
}
