package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"hull/trace/model"
)

// A told is a span as a level tells it: a line of its own, with what is inside of it, or one of a run of its like.
type told struct {
	span   model.Span
	inside []*told
	more   int // steps inside that have no line
	times  int // how many in a row this line stands for
	events int
}

// tell makes the tree of lines: each span below the nearest one that is told.
func (p *timeline) tell() *told {
	known := map[string]int{}
	for i, s := range p.t.Spans {
		known[s.ID] = i
	}
	for _, e := range p.t.Events {
		if _, ok := known[e.Span]; ok {
			p.events[e.Span]++
		}
	}
	root := &told{}
	lines := map[string]*told{}
	order := make([]int, len(p.t.Spans))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.t.Spans[a].Start, p.t.Spans[b].Start) })
	for _, i := range order {
		if s := p.t.Spans[i]; p.tells(s) {
			lines[s.ID] = &told{span: s, times: 1, events: p.events[s.ID]}
		}
	}
	// up is the nearest told line above a span; a parent that never arrived, or a circle in hostile data, leads to the root.
	up := func(s model.Span) *told {
		for range 64 {
			i, ok := known[s.Parent]
			if !ok || s.Parent == s.ID {
				break
			}
			if at := lines[s.Parent]; at != nil {
				return at
			}
			s = p.t.Spans[i]
		}
		return root
	}
	for _, i := range order {
		s := p.t.Spans[i]
		at := up(s)
		if line := lines[s.ID]; line != nil {
			at.inside = append(at.inside, line)
		} else {
			at.more++
		}
	}
	return root
}

// tells reports whether a span has a line of its own on this level. What was claimed and not proved, and what failed, always has.
func (p *timeline) tells(s model.Span) bool {
	return p.Level != "story" || s.Step().Story() || s.Proof == model.Unproved || s.Error != ""
}

// steps prints the tree of spans, each below its parent, in the order of their start.
func (p *timeline) steps() {
	root := p.tell()
	bar := pad("", p.bar)
	if p.bar > 0 {
		bar += " "
	}
	p.line("%s", p.paint("2", fmt.Sprintf("%10s %7s  %s  %s %s %6s", "at", "takes", bar, pad("step", p.name-3+min(3, p.process)), pad("process", max(0, p.process-3)), "events")))
	p.below(root, 0, map[*told]bool{})
	if p.Level == "story" {
		if rest := len(p.t.Spans) - p.lines; rest > 0 {
			p.line("%s", p.paint("2", fit(fmt.Sprintf("+: %d more steps are inside of these; hull trace show %.12s tells them", rest, p.t.ID), p.width)))
		}
	}
	p.line("")
}

func (p *timeline) below(at *told, depth int, seen map[*told]bool) {
	if seen[at] {
		return // a circle in hostile data
	}
	seen[at] = true
	list := at.inside
	if p.Level == "stages" {
		list = runs(list)
	}
	for _, line := range list {
		p.step(line, depth)
		p.below(line, depth+1, seen)
	}
}

// runs makes one line of a row of the same step, if nothing in it needs to be told apart.
func runs(list []*told) (out []*told) {
	for _, line := range list {
		if n := len(out); n > 0 {
			last := out[n-1]
			if last.span.Name == line.span.Name && last.span.Proof == line.span.Proof && last.span.Proc == line.span.Proc &&
				last.span.Proof != model.Unproved && last.span.Error == "" && line.span.Error == "" && len(last.inside)+len(line.inside) == 0 {
				if last.times == 1 {
					copied := *last
					last, out[n-1] = &copied, &copied
				}
				last.times++
				last.events += line.events
				last.span.End, last.span.Instance = max(last.span.End, line.span.End), ""
				continue
			}
		}
		out = append(out, line)
	}
	return out
}

func (p *timeline) step(line *told, depth int) {
	s := line.span
	p.lines += line.times
	name := strings.Repeat(" ", min(depth, 12)) + fit(s.Name, p.name)
	switch {
	case line.times > 1:
		name += fmt.Sprintf(" ×%d", line.times)
	case line.more > 0 && p.Level == "story":
		name += fmt.Sprintf(" +%d", line.more)
	case s.Instance != "":
		name += " " + fitMiddle(s.Label(), p.name-utf8.RuneCountInString(name)-1)
	}
	process := s.Service
	if s.Proc.PID != 0 {
		process += fmt.Sprintf(" %d", s.Proc.PID)
	}
	events := ""
	if line.events > 0 {
		events = fmt.Sprint(line.events)
	}
	mark := proofMark[s.Proof]
	if mark == "" {
		mark = "?"
	}
	bar := p.bars(s)
	if bar != "" {
		bar = p.paint("2", bar) + " "
	}
	code := map[model.Verdict]string{model.Proved: "32", model.Unproved: "31;1"}[s.Proof]
	p.line("%10s %7s  %s%s %s %s %3s", offset(s.Start-p.from), duration(max(0, s.End-s.Start)), bar, p.paint(code, mark),
		pad(name, p.name), pad(process, p.process), events)
	if s.Error != "" {
		p.line("%s", p.paint("31", strings.Repeat(" ", 23+p.bar)+fit("error: "+s.Error, p.width-23-p.bar)))
	}
}

// moves tells whom the kernel gave another parent: the one thing of the process tree that the story needs.
func (p *timeline) moves() {
	for _, m := range p.t.Moves() {
		if q := p.t.Process(m.Child); q != nil && q.NSPID == 1 {
			p.line("%s", p.paint("1", fit(fmt.Sprintf("%s  reparented: %d from %s to %s", offset(m.Time-p.from), m.Child.PID, p.called(m.From, m.Time), p.called(m.To, m.Time)), p.width)))
		}
	}
}
