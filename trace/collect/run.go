package collect

import (
	"time"

	"hull/stages"
	"hull/trace/bpf"
	"hull/trace/model"
)

// Limits of one run. What is beyond them is counted as lost, never silently dropped.
const (
	maxEvents = 200_000
	maxSpans  = 20_000
)

// A run is one trace while it is being made: what has come, in the order in which it came. [build] makes the trace of it.
type run struct {
	id        string
	handle    uint64 // in the kernel; 0 without it
	owner     uint32 // uid that may read it
	command   []string
	container string
	client    int // the pid that the trace was begun for, or 0
	started   int64
	left      int64 // when the client left; 0 before
	ended     int64 // when the trace was complete; 0 before
	notes     []string

	spans  []model.Span
	events []event
	before map[model.Proc]model.Process // processes that were there before the trace
	seen   map[model.Proc]bool          // processes that are known, from /proc or an event
	parent map[model.Proc]model.Proc    // who the kernel last gave a process to
	alive  map[model.Proc]bool          // the run's processes: true until the kernel has seen them end
	looks  []look                       // what was read back
	masks  masks                        // which of config.json's masked or read-only paths the container has
	target target                       // whose bundle, cgroup and init: from the runtime's command line
	lost   model.Lost
	last   time.Time     // when the last span or event came
	done   chan struct{} // closed when complete
	wake   chan struct{} // a hint that the end may be near
}

// An event is a kernel event with its time on the wall clock.
type event struct {
	bpf.Event
	wall int64
}

// A look is one reading of a state. One that came too late has found nothing out, neither for the claim nor against it.
type look struct {
	state  stages.State
	time   int64
	ok     bool
	unread bool   // it could not be read, or not any more
	text   string // one line: what was found
	name   string // which one of a repeated step's it is; "" if there is only one
}

func (r *run) note(text string) {
	for _, n := range r.notes {
		if n == text {
			return
		}
	}
	r.notes = append(r.notes, text)
}

func (r *run) addEvent(e event) {
	r.last = time.Now()
	if len(r.events) >= maxEvents {
		r.lost.Events++
		return
	}
	r.events = append(r.events, e)
	switch e.Kind {
	case stages.EventClone:
		r.born(e.Other)
	case stages.EventExec:
		r.born(e.Proc)
	case stages.EventExit:
		r.alive[e.Proc] = false
	}
}

// born notes a process, which may have ended already: a daemon's fork is the run's only when the span that its thread is marked with has
// come, and that may be after the child's exit.
func (r *run) born(p model.Proc) {
	if _, known := r.alive[p]; !known {
		r.alive[p] = true
	}
}

func (r *run) addSpan(s model.Span) {
	r.last = time.Now()
	if len(r.spans) >= maxSpans {
		r.lost.Spans++
		return
	}
	r.spans = append(r.spans, s)
}
