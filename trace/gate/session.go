package gate

import (
	"slices"
	"sync"

	"hull/stages"
	"hull/trace/snapshot"
)

// A session is one debugger with its run.
type session struct {
	trace string
	owner uint32
	conn  *conn // the debugger's
	until string
	stops []pattern
	fault []*fault

	queue []*waiting // the first is shown
	n     int
	state state
	holds sync.WaitGroup // what hulld still has to clean up
	over  chan struct{}  // closed when state is no longer armed
	seen  *snapshot.Seen // of the stop before: mounts are shown as a difference
}

type state int

const (
	armed state = iota
	left        // the debugger has seen enough: the run goes on by itself
	ended       // the run is to end: each step that has not begun fails
)

// A waiting is one process at its gate.
type waiting struct {
	q    *Question
	pid  int
	n    int
	open chan []byte // the answer
}

// wants reports whether the step is to be shown.
func (s *session) wants(q *Question) bool {
	if s.state != armed {
		return false
	}
	if s.until == toCall || s.until == toStep && !q.Inner {
		return true
	}
	return slices.ContainsFunc(s.stops, func(p pattern) bool { return p.matches(q) })
}

// What a debugger can go on to.
const (
	toStep  = "step"
	toCall  = "call"
	toBreak = "break"
)

// strike takes the fault that strikes here, if one does.
func (s *session) strike(q *Question) *fault {
	for _, f := range s.fault {
		if s.state == armed && !f.done && f.at.matches(q) {
			f.done = true
			return f
		}
	}
	return nil
}

// verdict is the answer to a step at which nothing stops. Of a run that has been ended, what cleans up goes on.
func (s *session) verdict(q *Question) []byte {
	if s.state != ended {
		return answer(0, 0)
	}
	id, _ := stages.Lookup(q.Step)
	if step := id.Step(); id == stages.None || id == stages.RuncKill || step.Has(stages.Late) {
		return answer(0, 0)
	}
	return answer(canceled, byEnd)
}

// finish ends the session and opens all gates. needs the server's lock.
func (s *session) finish(to state) {
	if s.state != armed {
		return
	}
	s.state = to
	for _, w := range s.queue {
		w.open <- s.verdict(w.q)
	}
	s.queue = nil
	close(s.over)
}
