package export

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"hull/trace/model"
)

// Text is the terminal timeline: the steps as a tree along the time, then the processes, then what is missing. It is at most 100
// columns wide.
type Text struct {
	Color bool // ANSI colours; only for a terminal, and only when asked
}

// The columns: when it began, what it took, a bar, the verdict, the step, the process, its kernel events.
const (
	barWidth     = 8
	nameWidth    = 42
	processWidth = 22
)

// The marks of a step's proof.
var proofMark = map[model.Verdict]string{model.Proved: "✓", model.Unproved: "✗", model.NoProof: "·"}

// Write writes the timeline.
func (c Text) Write(w io.Writer, t *model.Trace) error {
	out := bufio.NewWriter(w)
	p := timeline{out: out, Text: c, t: t, events: map[string]int{}, children: map[string][]int{}}
	p.heading()
	p.steps()
	p.processes()
	p.missing()
	return out.Flush()
}

// A timeline is one being written.
type timeline struct {
	Text
	out      *bufio.Writer
	t        *model.Trace
	from, to int64            // the time that the bars span
	events   map[string]int   // kernel events per span id
	children map[string][]int // span indices per parent id
}

func (p *timeline) line(format string, args ...any) {
	fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// paint colours s: ANSI SGR code, or nothing.
func (p *timeline) paint(code, s string) string {
	if !p.Color || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *timeline) heading() {
	p.from, p.to = p.t.Start, p.t.LastMoment()
	s := p.t.Summary()
	p.line("%s", p.paint("1", fit(strings.Join(p.t.Command, " "), 100)))
	p.line("trace %s", fit(p.t.ID, 94))
	if p.t.Container != "" {
		p.line("container %s", fit(p.t.Container, 90))
	}
	noProof := s.Steps - s.Proved - s.Unproved
	p.line("%s, %s, %s, %d lost", duration(p.to-p.from), count(s.Steps, "step"), count(s.KernelEvents, "kernel event"), s.Lost)
	p.line("✓ %d proved   ✗ %d claimed and not proved   · %d without a possible proof", s.Proved, s.Unproved, noProof)
	p.line("")
}

// steps prints the tree of spans, each below its parent, in the order of their start.
func (p *timeline) steps() {
	known := map[string]bool{}
	for _, s := range p.t.Spans {
		known[s.ID] = true
	}
	for _, e := range p.t.Events {
		if known[e.Span] {
			p.events[e.Span]++
		}
	}
	for i, s := range p.t.Spans {
		parent := s.Parent
		if !known[parent] || parent == s.ID {
			parent = "" // a root, or its parent never arrived
		}
		p.children[parent] = append(p.children[parent], i)
	}
	p.line("%s", p.paint("2", fmt.Sprintf("%10s %7s  %s   %s %s %6s", "at", "takes", pad("", barWidth), pad("step", nameWidth), pad("process", processWidth-8), "events")))
	p.below("", 0)
	p.line("")
}

func (p *timeline) below(parent string, depth int) {
	list := p.children[parent]
	delete(p.children, parent) // a loop in hostile data ends here
	slices.SortStableFunc(list, func(a, b int) int { return int(p.t.Spans[a].Start - p.t.Spans[b].Start) })
	for _, i := range list {
		s := p.t.Spans[i]
		p.step(s, depth)
		p.below(s.ID, depth+1)
	}
}

func (p *timeline) step(s model.Span, depth int) {
	name := strings.Repeat(" ", min(depth, 12)) + fit(s.Name, nameWidth)
	if s.Instance != "" {
		name += " " + fitMiddle(s.Label(), nameWidth-utf8.RuneCountInString(name)-1)
	}
	process := s.Service
	if s.Proc.PID != 0 {
		process += fmt.Sprintf(" %d", s.Proc.PID)
	}
	events := ""
	if n := p.events[s.ID]; n > 0 {
		events = fmt.Sprint(n)
	}
	mark := proofMark[s.Proof]
	if mark == "" {
		mark = "?"
	}
	code := map[model.Verdict]string{model.Proved: "32", model.Unproved: "31;1"}[s.Proof]
	p.line("%10s %7s  %s %s %s %s %3s", offset(s.Start-p.from), duration(max(0, s.End-s.Start)), p.paint("2", p.bar(s)), p.paint(code, mark),
		pad(name, nameWidth), pad(process, processWidth), events)
	if s.Error != "" {
		p.line("%s", p.paint("31", strings.Repeat(" ", 23+barWidth)+fit("error: "+s.Error, 77-barWidth)))
	}
}

// bar places a span on the whole time.
func (p *timeline) bar(s model.Span) string {
	whole := max(1, p.to-p.from)
	at := func(time int64) int { return int(min(max(time-p.from, 0), whole) * barWidth / whole) }
	left := min(at(s.Start), barWidth-1)
	length := max(1, at(s.End)-left)
	glyph := "█"
	if s.End-s.Start < whole/barWidth {
		glyph = "▏"
	}
	return strings.Repeat(" ", left) + strings.Repeat(glyph, length) + strings.Repeat(" ", barWidth-left-length)
}

// missing says what the picture lacks: steps without their proof, losses, the tracer's notes.
func (p *timeline) missing() {
	for _, s := range p.t.Spans {
		if s.Proof == model.Unproved {
			name := strings.TrimSpace(fit(s.Name, 40) + " " + fitMiddle(s.Label(), 30))
			p.line("%s", p.paint("31;1", "claimed, not proved: "+name))
			p.line("%s", fit("    "+s.Because, 100))
		}
	}
	if l := p.t.Lost; l.Events+l.Spans > 0 {
		p.line("%s", p.paint("33", fmt.Sprintf("lost: %s, %s: what is absent above may have happened", count(int(l.Events), "kernel event"), count(int(l.Spans), "span"))))
	}
	for _, n := range p.t.Notes {
		p.line("%s", fit("note: "+n, 100))
	}
}
