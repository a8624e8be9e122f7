package collect

import (
	"slices"

	"hull/stages"
	"hull/trace/model"
)

// join hangs each event under the innermost span that was open, at that time, where it happened:
//
//  1. the span that its thread had marked;
//  2. the innermost open span of its process;
//  3. the span that its process was executed in (TRACEPARENT), or that the event of its fork hangs under: both are the kernel's word on where
//     the process comes from.
//
// A guess is where only time decides: two spans of one process overlap without nesting. What such a place's process forks inherits the
// doubt.
//
// One pass over the events in time order with a stack of open spans per process: n log n, measured in join_test.go.
func (v *view) join() {
	v.at, v.guess = make([]int, len(v.events)), make([]bool, len(v.events))
	proves := map[int]int{} // the innermost claim whose evidence an event is: it decides where time does not
	byID := make(map[string]int, len(v.spans))
	byProc := map[model.Proc]*track{}
	for i, s := range v.spans {
		byID[s.ID] = i
		for _, e := range s.Evidence {
			if v.events[e].Proc == s.Proc {
				proves[e] = i
			}
		}
		if byProc[s.Proc] == nil {
			byProc[s.Proc] = &track{}
		}
		byProc[s.Proc].spans = append(byProc[s.Proc].spans, i) // v.spans is by start already
	}
	type place struct {
		at    int
		guess bool
	}
	home := map[model.Proc]place{} // where a process's events belong that have no span of their own
	for i, s := range v.spans {    // what the client does after its command's end is telling hull-trace so
		if s.Step().ID == stages.ClientCommand {
			home[s.Proc] = place{i, false}
		}
	}
	for i := range v.events {
		e := &v.events[i]
		v.at[i] = -1
		if e.Kind == stages.EventExec && len(e.Traceparent) == 55 {
			if at, ok := byID[e.Traceparent[36:52]]; ok {
				home[e.Proc] = place{at, false}
			}
		}
		if at, ok := byID[e.Marker]; ok {
			v.at[i] = at
		} else if tr := byProc[e.Proc]; tr != nil {
			v.at[i], v.guess[i] = tr.innermost(v.spans, e.wall)
			if at, ok := proves[i]; ok && v.guess[i] {
				v.at[i], v.guess[i] = at, false
			}
		}
		if h, ok := home[e.Proc]; ok && (v.at[i] < 0 || v.guess[i] && e.Kind == stages.EventExec) {
			v.at[i], v.guess[i] = h.at, h.guess
		}
		if e.Kind == stages.EventClone && v.at[i] >= 0 {
			home[e.Other] = place{v.at[i], v.guess[i]}
		}
	}
}

// A track is one process's spans, walked once along with its events.
type track struct {
	spans []int // by start
	next  int
	open  []int
}

// innermost is the open span with the latest start at time t, or -1. Times of successive calls do not fall.
func (tr *track) innermost(spans []model.Span, t int64) (at int, guess bool) {
	for tr.next < len(tr.spans) && spans[tr.spans[tr.next]].Start <= t {
		tr.open = append(tr.open, tr.spans[tr.next])
		tr.next++
	}
	tr.open = slices.DeleteFunc(tr.open, func(i int) bool { return spans[i].End < t })
	if len(tr.open) == 0 {
		return -1, false
	}
	at = tr.open[len(tr.open)-1]
	for _, i := range tr.open[:len(tr.open)-1] {
		if spans[i].End < spans[at].End { // it ends first although it began first: they overlap
			return at, true
		}
	}
	return at, false
}
