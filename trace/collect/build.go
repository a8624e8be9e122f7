package collect

import (
	"cmp"
	"fmt"
	"slices"

	"hull/trace/model"
)

// build makes the trace of what has come so far. It changes nothing in the run, so that a trace can be looked at while it grows. lost is the
// kernel's count of events that the ring had no room for.
func build(r *run, lost uint64) *model.Trace {
	events := slices.Clone(r.events)
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.wall, b.wall) })
	tree := growTree(r, events)
	spans := slices.Clone(r.spans)
	slices.SortStableFunc(spans, func(a, b model.Span) int { return cmp.Compare(a.Start, b.Start) })

	v := &view{run: r, tree: tree, events: events, spans: spans}
	v.prove()
	v.addMute()
	slices.SortStableFunc(v.spans, func(a, b model.Span) int { return cmp.Compare(a.Start, b.Start) })
	v.join()

	t := &model.Trace{
		Version: model.Version, ID: r.id, Command: r.command, Container: r.container, Start: r.started, End: r.ended,
		Spans: v.spans, Events: make([]model.Event, len(events)), Processes: tree.list(), Lost: r.lost, Notes: slices.Clone(r.notes),
	}
	t.Lost.Events += lost
	for i := range events {
		e := &events[i]
		t.Events[i] = e.Model(func(uint64) int64 { return e.wall })
		if at := v.at[i]; at >= 0 {
			t.Events[i].Span, t.Events[i].Guess = v.spans[at].ID, v.guess[i]
		}
	}
	if n := v.missingParents(); n > 0 && r.ended != 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d spans name a parent that never arrived", n))
	}
	for i := range t.Spans {
		s := &t.Spans[i]
		t.Start = min(t.Start, s.Start)
		s.Late = r.left != 0 && s.End > r.left
	}
	return t
}

// A view is one build under way.
type view struct {
	run    *run
	tree   *tree
	events []event      // by time
	spans  []model.Span // by start
	at     []int        // join: the span of each event, or -1
	guess  []bool       // join: by time alone
}

// missingParents counts the spans whose parent has not arrived (yet).
func (v *view) missingParents() (n int) {
	return missing(v.spans)
}

func missing(spans []model.Span) (n int) {
	have := make(map[string]bool, len(spans))
	for _, s := range spans {
		have[s.ID] = true
	}
	for _, s := range spans {
		if s.Parent != "" && !have[s.Parent] {
			n++
		}
	}
	return n
}
