package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/docker/go-units"
	"golang.org/x/term"

	"hull/client/engine"
)

// A progress shows the daemon's report of a pull or push as docker does: on a terminal one line per layer that changes in place, elsewhere
// one line per change, without the counts.
type progress struct {
	w        io.Writer
	terminal bool
	width    int
	line     map[string]int // a layer's line, counted from the first
}

// newProgress shows on w; what is no file is no terminal.
func newProgress(w io.Writer) *progress {
	p := &progress{w: w, line: map[string]int{}, width: 80}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			p.width = width
		}
	}
	return p
}

func (p *progress) show(r engine.Report) {
	if r.Status == "" {
		if r.Stream != "" {
			fmt.Fprint(p.w, r.Stream)
		}
		return
	}
	counts := ""
	if r.Progress != nil && (r.Progress.Current > 0 || r.Progress.Total > 0) {
		counts = p.counts(r.Progress.Current, r.Progress.Total)
	}
	text := r.Status
	if r.ID != "" {
		text = r.ID + ": " + text
	}
	switch {
	case !p.terminal && counts != "":
	case !p.terminal:
		fmt.Fprintln(p.w, text)
	case r.ID == "":
		fmt.Fprintln(p.w, text)
		clear(p.line) // the layers' lines are above this one: what comes now is new
	default:
		p.place(r.ID, strings.TrimRight(text+" "+counts, " "))
	}
}

// place writes a layer's line where it is (console_codes(4): up, erase the line, down).
func (p *progress) place(id, text string) {
	at, known := p.line[id]
	if !known {
		at = len(p.line)
		p.line[id] = at
		fmt.Fprintln(p.w)
	}
	up := len(p.line) - at
	fmt.Fprintf(p.w, "\x1b[%dA\x1b[2K\r%s\r\x1b[%dB", up, text, up)
}

// counts is a bar and two numbers, or the numbers alone where there is no room.
func (p *progress) counts(current, total int64) string {
	if total <= 0 {
		return units.HumanSize(float64(current))
	}
	numbers := fmt.Sprintf("%8v/%v", units.HumanSize(float64(current)), units.HumanSize(float64(total)))
	if p.width <= 110 {
		return numbers
	}
	done := min(int(current*50/total), 50)
	return fmt.Sprintf("[%s>%s] %s", strings.Repeat("=", done), strings.Repeat(" ", 50-done), numbers)
}

// reporter shows a report on w, or with quiet nothing of it.
func reporter(w io.Writer, quiet bool) func(engine.Report) {
	if quiet {
		return func(engine.Report) {}
	}
	return newProgress(w).show
}
