package model

import "path"

// A Summary is a trace in numbers: what lists show, and the last line of a traced run.
type Summary struct {
	ID           string   `json:"id"`
	Command      []string `json:"command"`
	Container    string   `json:"container"`
	Start        int64    `json:"start"` // Unix time in ns
	End          int64    `json:"end"`   // 0 while it goes on
	Steps        int      `json:"steps"` // spans of the catalogue's steps; foreign spans are not counted
	Proved       int      `json:"proved"`
	Unproved     int      `json:"unproved"` // claimed, evidence was possible, none was found
	KernelEvents int      `json:"kernelEvents"`
	Lost         uint64   `json:"lost"`       // events and spans that did not arrive
	Reparented   string   `json:"reparented"` // the binary that the container's first process was given to; "" if that was not seen
}

// Summary counts.
func (t *Trace) Summary() Summary {
	s := Summary{
		ID: t.ID, Command: t.Command, Container: t.Container, Start: t.Start, End: t.End,
		KernelEvents: len(t.Events), Lost: t.Lost.Events + t.Lost.Spans,
	}
	for _, span := range t.Spans {
		if span.Step().Name == "" {
			continue
		}
		s.Steps++
		switch span.Proof {
		case Proved:
			s.Proved++
		case Unproved:
			s.Unproved++
		}
	}
	if m, ok := t.containerMove(); ok {
		s.Reparented = t.BinaryAt(m.To, m.Time)
	}
	return s
}

// LastMoment is when the last thing in the trace happened: its picture ends there. End is later, by what the tracer waited for more.
func (t *Trace) LastMoment() int64 {
	last := t.Start
	for _, s := range t.Spans {
		last = max(last, s.End)
	}
	for _, e := range t.Events {
		last = max(last, e.Time)
	}
	return last
}

// LastStep is when the last step ended: that is when the run was over. The client may leave later, when it has shown the trace.
func (t *Trace) LastStep() int64 {
	last := t.Start
	for _, s := range t.Spans {
		last = max(last, s.End)
	}
	if last == t.Start {
		return t.LastMoment()
	}
	return last
}

// A Move is one process given to another parent by the kernel.
type Move struct {
	Child, From, To Proc
	Time            int64
}

// Moves lists the reparentings of all processes, as Processes has them.
func (t *Trace) Moves() (moves []Move) {
	for _, p := range t.Processes {
		for i := 1; i < len(p.Parents); i++ {
			moves = append(moves, Move{Child: p.Proc, From: p.Parents[i-1].Proc, To: p.Parents[i].Proc, Time: p.Parents[i].Time})
		}
	}
	return moves
}

// containerMove is the reparenting of the container's first process: pid 1 of a pid namespace of its own.
func (t *Trace) containerMove() (Move, bool) {
	for _, m := range t.Moves() {
		if p := t.Process(m.Child); p != nil && p.NSPID == 1 {
			return m, true
		}
	}
	return Move{}, false
}

// Process finds a process, or gives nil: one that the kernel side did not see.
func (t *Trace) Process(proc Proc) *Process {
	for i := range t.Processes {
		if t.Processes[i].Proc == proc {
			return &t.Processes[i]
		}
	}
	return nil
}

// BinaryAt is the base name of the program that a process ran at a time: its own last exec before it, or what it inherited by fork. For
// a process the kernel side did not see it is the service of its spans, or "".
func (t *Trace) BinaryAt(proc Proc, at int64) string {
	for range 8 { // a chain of forks without an exec is short; a loop in hostile data ends
		p := t.Process(proc)
		if p == nil {
			break
		}
		exe := ""
		for _, e := range p.Execs {
			if e.Time <= at {
				exe = e.Exe
			}
		}
		switch {
		case exe != "":
			return path.Base(exe)
		case len(p.Execs) == 0 && p.Exe != "":
			return path.Base(p.Exe)
		case len(p.Parents) == 0:
			return p.Comm
		}
		if t.Process(p.Parents[0].Proc) == nil {
			return p.Comm
		}
		proc, at = p.Parents[0].Proc, p.Born
	}
	for i := range t.Spans {
		if t.Spans[i].Proc == proc {
			return t.Spans[i].Service
		}
	}
	return ""
}
