package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"hull/trace/model"
)

// Levels are how much of a trace the terminal timeline tells: the steps of the story, with a count of what is inside of each; every step, those
// that repeat as one line; everything.
var Levels = []string{"story", "stages", "all"}

// Text is the terminal timeline: the steps as a tree along the time, then the processes, then what is missing.
type Text struct {
	Level string // of Levels; "" is all
	Width int    // columns; 0 is 100. Less than 60 and more than 200 are not used.
	Color bool   // ANSI colours; only for a terminal, and only when asked
}

// The marks of a step's proof.
var proofMark = map[model.Verdict]string{model.Proved: "✓", model.Unproved: "✗", model.NoProof: "·"}

// Write writes the timeline.
func (c Text) Write(w io.Writer, t *model.Trace) error {
	out := bufio.NewWriter(w)
	p := timeline{out: out, Text: c, t: t, events: map[string]int{}}
	p.measure()
	p.heading()
	p.steps()
	if c.Level == "story" {
		p.moves()
	} else {
		p.processes()
	}
	p.missing()
	return out.Flush()
}

// A timeline is one being written.
type timeline struct {
	Text
	out      *bufio.Writer
	t        *model.Trace
	from, to int64          // the time that the bars span
	events   map[string]int // kernel events per span id
	lines    int            // steps that have been told

	width, bar, name, process int // columns: of the whole, and of its parts
}

// measure shares the columns: the step's name gets what is free, and where little is, the bar and the events go first.
func (p *timeline) measure() {
	p.width = 100
	if p.Width > 0 {
		p.width = min(max(p.Width, 60), 200)
	}
	p.bar, p.process = 8, 22
	switch {
	case p.width < 72:
		p.bar, p.process = 0, 0
	case p.width < 80:
		p.bar, p.process = 0, 16
	case p.width >= 130:
		p.bar, p.process = 24, 24
	}
	p.name = p.width - p.bar - p.process - 28
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
	p.from, p.to = p.t.Start, p.t.LastStep()
	s := p.t.Summary()
	p.line("%s", p.paint("1", fit(strings.Join(p.t.Command, " "), p.width)))
	p.line("trace %s", fit(p.t.ID, p.width-6))
	if p.t.Container != "" {
		p.line("container %s", fit(p.t.Container, p.width-10))
	}
	noProof := s.Steps - s.Proved - s.Unproved
	p.line("%s, %s, %s, %d lost", duration(p.to-p.from), count(s.Steps, "step"), count(s.KernelEvents, "kernel event"), s.Lost)
	if p.width < 80 {
		p.line("✓ %d proved   ✗ %d not proved   · %d without proof", s.Proved, s.Unproved, noProof)
	} else {
		p.line("✓ %d proved   ✗ %d claimed and not proved   · %d without a possible proof", s.Proved, s.Unproved, noProof)
	}
	p.line("")
}

// bars places a span on the whole time.
func (p *timeline) bars(s model.Span) string {
	if p.bar == 0 {
		return ""
	}
	columns := int64(p.bar)
	whole := max(1, p.to-p.from)
	at := func(time int64) int { return int(min(max(time-p.from, 0), whole) * columns / whole) }
	left := min(at(s.Start), p.bar-1)
	length := max(1, at(s.End)-left)
	glyph := "█"
	if s.End-s.Start < whole/columns {
		glyph = "▏"
	}
	return strings.Repeat(" ", left) + strings.Repeat(glyph, length) + strings.Repeat(" ", p.bar-left-length)
}

// missing says what the picture lacks: steps without their proof, losses, the tracer's notes; and what this level does not tell.
func (p *timeline) missing() {
	for _, s := range p.t.Spans {
		if s.Proof == model.Unproved {
			name := strings.TrimSpace(fit(s.Name, 40) + " " + fitMiddle(s.Label(), p.width-63))
			p.line("%s", p.paint("31;1", "claimed, not proved: "+name))
			p.line("%s", fit("    "+s.Because, p.width))
		}
	}
	if l := p.t.Lost; l.Events+l.Spans > 0 {
		lost := fmt.Sprintf("lost: %s, %s: what is absent above may have happened", count(int(l.Events), "kernel event"), count(int(l.Spans), "span"))
		p.line("%s", p.paint("33", fit(lost, p.width)))
	}
	for _, n := range p.t.Notes {
		p.line("%s", fit("note: "+n, p.width))
	}
}
