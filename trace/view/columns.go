package view

import (
	"maps"
	"slices"

	"hull/stages"
	"hull/stages/explain"
	"hull/trace/model"
)

// The trace as the page reads it (assets/data.js is the other side): columns instead of objects, each string once, times in ns after
// the trace's start. A hundred thousand spans stay a few megabytes, and are decoded in one pass.

type document struct {
	ID        string          `json:"id"`
	Command   []string        `json:"command"`
	Container string          `json:"container"`
	Start     int64           `json:"start"` // Unix time in ms, for the date only
	End       int64           `json:"end"`
	Notes     []string        `json:"notes"`
	Lost      model.Lost      `json:"lost"`
	Summary   model.Summary   `json:"summary"`
	Strings   []string        `json:"strings"`
	Procs     [][2]int64      `json:"procs"` // pid, start
	Spans     spanColumns     `json:"spans"`
	Events    eventColumns    `json:"events"`
	Processes []process       `json:"processes"`
	Stages    []string        `json:"stages"` // in the catalogue's order
	Steps     map[string]step `json:"steps"`  // the steps that occur
}

// In the columns an int is an index into Strings, Procs or Spans (−1: none) unless it says otherwise.
type spanColumns struct {
	ID       []int   `json:"id"`
	Parent   []int   `json:"parent"`
	Name     []int   `json:"name"`
	Instance []int   `json:"instance"`
	Service  []int   `json:"service"`
	Proc     []int   `json:"proc"`
	TID      []int   `json:"tid"`   // a number
	Start    []int64 `json:"start"` // ns
	End      []int64 `json:"end"`   // ns
	Error    []int   `json:"error"`
	Attrs    [][]int `json:"attrs"` // key, value, key, value
	Links    [][]int `json:"links"`
	Claim    []int   `json:"claim"`
	Proof    []int   `json:"proof"`
	Evidence [][]int `json:"evidence"` // events
	Because  []int   `json:"because"`
	Late     []bool  `json:"late"`
}

type eventColumns struct {
	Kind     []int   `json:"kind"`
	Time     []int64 `json:"time"`     // ns
	Duration []int64 `json:"duration"` // ns
	Proc     []int   `json:"proc"`
	TID      []int   `json:"tid"` // a number
	Comm     []int   `json:"comm"`
	Call     []int   `json:"call"`
	Ret      []int64 `json:"ret"` // a number
	Args     [][]int `json:"args"`
	Span     []int   `json:"span"`
	Guess    []bool  `json:"guess"`
}

type process struct {
	Proc    int      `json:"proc"`
	NSPID   int      `json:"nspid"`
	Stage   string   `json:"stage"`
	Exe     string   `json:"exe"`
	Comm    string   `json:"comm"`
	Born    int64    `json:"born"` // ns; −1: before the trace
	Died    int64    `json:"died"` // ns; −1: not in the trace
	Exit    *int     `json:"exit"`
	Execs   []exec   `json:"execs"`
	Parents []parent `json:"parents"`
	Threads bool     `json:"threads"`
}

type exec struct {
	Time int64    `json:"time"`
	Exe  string   `json:"exe"`
	Args []string `json:"args"`
}

type parent struct {
	Time int64 `json:"time"`
	Proc int   `json:"proc"`
}

type step struct {
	Stage string   `json:"stage"`
	Title string   `json:"title"`
	Why   string   `json:"why"`
	Rule  string   `json:"rule"` // what is looked for as proof
	Man   []string `json:"man"`
	Text  string   `json:"text"`
	Story bool     `json:"story"` // one of the few with which a run is told for the first time
}

// An encoder gives each string and process its index.
type encoder struct {
	doc     *document
	strings map[string]int
	procs   map[model.Proc]int
}

func (e *encoder) str(s string) int {
	i, ok := e.strings[s]
	if !ok {
		i = len(e.doc.Strings)
		e.strings[s] = i
		e.doc.Strings = append(e.doc.Strings, s)
	}
	return i
}

func (e *encoder) proc(p model.Proc) int {
	i, ok := e.procs[p]
	if !ok {
		i = len(e.doc.Procs)
		e.procs[p] = i
		e.doc.Procs = append(e.doc.Procs, [2]int64{int64(p.PID), int64(p.Start)})
	}
	return i
}

func (e *encoder) pairs(m map[string]string) []int {
	out := make([]int, 0, 2*len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, e.str(k), e.str(m[k]))
	}
	return out
}

// columns encodes a trace.
func columns(t *model.Trace) *document {
	doc := &document{
		ID: t.ID, Command: t.Command, Container: t.Container, Start: t.Start / 1e6, End: t.LastMoment() - t.Start, Notes: t.Notes, Lost: t.Lost,
		Summary: t.Summary(), Steps: map[string]step{}, Processes: []process{}, Strings: []string{}, Procs: [][2]int64{},
	}
	for _, s := range stages.Stages() {
		doc.Stages = append(doc.Stages, s.String())
	}
	e := &encoder{doc: doc, strings: map[string]int{}, procs: map[model.Proc]int{}}
	index := map[string]int{}
	for i, s := range t.Spans {
		index[s.ID] = i
	}
	find := func(id string) int {
		if i, ok := index[id]; ok {
			return i
		}
		return -1
	}
	for _, s := range t.Spans {
		e.span(s, t.Start, find)
	}
	for _, ev := range t.Events {
		e.event(ev, t.Start, find)
	}
	for _, p := range t.Processes {
		e.process(p, t.Start)
	}
	return doc
}

func (e *encoder) span(s model.Span, zero int64, find func(string) int) {
	if row := s.Step(); row.Name != "" {
		e.doc.Steps[row.Name] = step{row.Stage.String(), row.Title, row.Why, explain.Rule(row.Proof), row.Man, explain.Text(row.ID), row.Story()}
	}
	links := []int{}
	for _, l := range s.Links {
		if i := find(l); i >= 0 {
			links = append(links, i)
		}
	}
	c := &e.doc.Spans
	c.ID = append(c.ID, e.str(s.ID))
	c.Parent = append(c.Parent, find(s.Parent))
	c.Name = append(c.Name, e.str(s.Name))
	c.Instance = append(c.Instance, e.str(s.Label()))
	c.Service = append(c.Service, e.str(s.Service))
	c.Proc = append(c.Proc, e.proc(s.Proc))
	c.TID = append(c.TID, s.TID)
	c.Start = append(c.Start, s.Start-zero)
	c.End = append(c.End, max(s.Start, s.End)-zero)
	c.Error = append(c.Error, e.str(s.Error))
	c.Attrs = append(c.Attrs, e.pairs(s.Attrs))
	c.Links = append(c.Links, links)
	c.Claim = append(c.Claim, e.str(string(s.Claim)))
	c.Proof = append(c.Proof, e.str(string(s.Proof)))
	c.Evidence = append(c.Evidence, append([]int{}, s.Evidence...))
	c.Because = append(c.Because, e.str(s.Because))
	c.Late = append(c.Late, s.Late)
}

func (e *encoder) event(ev model.Event, zero int64, find func(string) int) {
	c := &e.doc.Events
	c.Kind = append(c.Kind, e.str(ev.Kind))
	c.Time = append(c.Time, ev.Time-zero)
	c.Duration = append(c.Duration, ev.Duration)
	c.Proc = append(c.Proc, e.proc(ev.Proc))
	c.TID = append(c.TID, ev.TID)
	c.Comm = append(c.Comm, e.str(ev.Comm))
	c.Call = append(c.Call, e.str(ev.Call))
	c.Ret = append(c.Ret, ev.Ret)
	c.Args = append(c.Args, e.pairs(ev.Args))
	c.Span = append(c.Span, find(ev.Span))
	c.Guess = append(c.Guess, ev.Guess)
}

func (e *encoder) process(p model.Process, zero int64) {
	at := func(time int64) int64 {
		if time == 0 {
			return -1
		}
		return time - zero
	}
	q := process{
		Proc: e.proc(p.Proc), NSPID: p.NSPID, Stage: p.Stage, Exe: p.Exe, Comm: p.Comm, Born: at(p.Born), Died: at(p.Died), Exit: p.Exit,
		Threads: p.Threads, Execs: []exec{}, Parents: []parent{},
	}
	for _, x := range p.Execs {
		q.Execs = append(q.Execs, exec{at(x.Time), x.Exe, x.Args})
	}
	for _, x := range p.Parents {
		q.Parents = append(q.Parents, parent{at(x.Time), e.proc(x.Proc)})
	}
	e.doc.Processes = append(e.doc.Processes, q)
}
