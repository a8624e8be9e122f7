package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"

	"golang.org/x/term"

	"hull/client/engine"
	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span"
)

// A debugger is the user's side of a run with gates. It reads commands from standard input, a terminal or a script alike, and writes to
// standard error, beside the container's output and not into it.
type debugger struct {
	a        *app
	gates    *engine.Debugger
	commands chan string // lines of standard input; closed at its end
	signals  chan os.Signal
	done     chan struct{} // closed when no event comes any more
	attached atomic.Bool   // signals are the container's from now on, but at a stop
	ended    atomic.Bool   // by q, Ctrl-C, or the end of the commands
	prompt   bool
	seen     map[string]string // the sections of the stop before, by their titles
}

// debugged is traced for a run with gates. There must be a hull-trace: it keeps them.
func (a *app) debugged(ctx context.Context, o *runOptions, run func(context.Context, *runOptions) error) error {
	if o.stops() && o.interactive {
		return &exit{125, errors.New("--step and --break read their commands from STDIN: they cannot be used with --interactive")}
	}
	inst, err := a.instance()
	if err != nil {
		return &exit{125, err}
	}
	parent := span.NewGatedTrace()
	d, err := a.debug(ctx, inst, engine.Arming{Trace: parent.TraceID(), Step: o.step, Break: o.breaks, Faults: o.faults}, o.stops())
	if err != nil {
		return &exit{125, err}
	}
	defer d.gates.Close()
	t, err := a.beginTrace(ctx, inst, parent)
	if err != nil {
		return &exit{125, err}
	}
	o.debugger = d
	code := t.record(ctx, parent, o, run, func() {
		d.gates.Leave()
		<-d.done // all has been told: what is said about the run's end comes after it
	})
	if d.ended.Load() {
		if code == 0 {
			code = 130 // as if by Ctrl-C: the program's own code is not known
		}
		a.awaitRemoval(ctx, o.made)
	}
	t.rec.Close()
	if o.recorded() {
		t.finish(ctx, o.traceOut, o.level)
	} else if _, err := t.tracer.End(ctx, t.id); err != nil {
		fmt.Fprintf(a.err, "hull: warning: the trace is not complete: %v\n", err)
	}
	return &exit{code: code}
}

// awaitRemoval returns when hulld has removed the container of a run that was ended; id is empty if it was never made.
func (a *app) awaitRemoval(ctx context.Context, id string) {
	if id == "" {
		return
	}
	if c, err := a.connect(ctx); err == nil {
		if w, err := c.Wait(ctx, id, engine.Removed); err == nil {
			w.Result()
			w.Close()
		}
	}
}

func (a *app) debug(ctx context.Context, inst instance.Instance, arm engine.Arming, stops bool) (*debugger, error) {
	gates, err := engine.Debug(ctx, inst.GateSocket(), arm)
	if err != nil {
		return nil, err
	}
	d := &debugger{a: a, gates: gates, commands: make(chan string), signals: make(chan os.Signal, 8), done: make(chan struct{})}
	if stops {
		d.prompt = term.IsTerminal(int(a.in.Fd()))
		signal.Notify(d.signals, os.Interrupt)
		go d.read()
	}
	go d.converse()
	return d, nil
}

// read hands over standard input line by line.
func (d *debugger) read() {
	defer close(d.commands)
	lines := bufio.NewScanner(d.a.in)
	for lines.Scan() {
		select {
		case d.commands <- lines.Text():
		case <-d.done:
			return
		}
	}
}

// converse shows stops and obeys commands until the run is over.
func (d *debugger) converse() {
	events := make(chan engine.GateEvent)
	go func() {
		defer close(events)
		for {
			e, err := d.gates.Next()
			if err != nil {
				return
			}
			events <- e
			if e.Over {
				return
			}
		}
	}()
	defer close(d.done)
	defer signal.Stop(d.signals)
	var at *engine.Stop
	for {
		commands := d.commands
		if at == nil {
			commands = nil // what is typed ahead is for the next stop
		}
		select {
		case e, ok := <-events:
			if !ok {
				return
			}
			switch {
			case e.Over:
				return
			case e.Stop != nil:
				at = e.Stop
				d.show(at, false)
			case e.Struck != nil:
				fmt.Fprintf(d.a.err, "fault: %s at %s (%s, pid %d)\n", e.Struck.Fault, place(e.Struck.Step, e.Struck.Instance, e.Struck.Call), e.Struck.Program, e.Struck.PID)
			case at != nil && e.Gone == at.N:
				fmt.Fprintf(d.a.err, "\nthe process that waited here (pid %d) has ended\n", at.PID)
				at = nil
			}
		case line, ok := <-commands:
			if !ok {
				line = "q"
			}
			if d.obey(at, strings.TrimSpace(line)) {
				at = nil
			}
		case <-d.signals:
			if at != nil || !d.attached.Load() {
				d.end()
				at = nil
			}
		}
	}
}

// end ends the run.
func (d *debugger) end() {
	d.ended.Store(true)
	d.gates.End()
}

// obey carries out one command, and reports whether the run goes on after it.
func (d *debugger) obey(at *engine.Stop, line string) bool {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "", "n":
		d.gates.Go(at.N, "step")
		return true
	case "s":
		d.gates.Go(at.N, "call")
		return true
	case "c":
		d.gates.Go(at.N, "break")
		return true
	case "b":
		pattern, err := checkBreak(rest)
		if err != nil {
			fmt.Fprintf(d.a.err, "b %s: %v\n", rest, err)
			break
		}
		d.gates.Break(pattern)
		fmt.Fprintf(d.a.err, "stops at %s\n", pattern)
	case "w":
		d.show(at, true)
		return false
	case "q":
		d.end()
		return true
	case "?", "h":
		fmt.Fprint(d.a.err, debuggerHelp)
	default:
		fmt.Fprintf(d.a.err, "%q is no command (? lists them)\n", line)
	}
	d.ask()
	return false
}

const debuggerHelp = `Enter    let this step happen, and stop before the next one
s        the same, and stop before each system call of the container's first process as well
c        go on to the next breakpoint, or to the end
b STEP   stop before STEP: a name of hull stages, a beginning with *, or STEP:CALL for one system call
w        show the whole of this stop again
q        end the run, and clean up
?        this list
`

// show prints a stop: what comes next and why, and what the kernel shows before it.
// What has not changed since the stop before is only named, unless the whole is wanted.
func (d *debugger) show(s *engine.Stop, whole bool) {
	id, _ := stages.Lookup(s.Step)
	step := id.Step()
	w := d.a.err
	fmt.Fprintf(w, "\n%d. %s: %s\n", s.N, place(s.Step, s.Instance, ""), step.Title)
	var same []string
	seen := map[string]string{}
	for _, section := range s.Now {
		text := "    " + strings.Join(section.Lines, "\n    ") + "\n"
		seen[section.Title] = text
		if !whole && d.seen[section.Title] == text {
			same = append(same, section.Title)
			continue
		}
		fmt.Fprintf(w, "\n  %s\n%s", section.Title, text)
	}
	d.seen = seen
	if len(same) > 0 {
		fmt.Fprintf(w, "\n  as before: %s\n", strings.Join(same, ", "))
	}
	fmt.Fprintf(w, "\n  next: %s in %s, pid %d\n", place(s.Step, s.Instance, s.Call), s.Program, s.PID)
	if step.Why != "" {
		fmt.Fprintf(w, "  why:  %s\n", step.Why)
	}
	if len(step.Man) > 0 {
		fmt.Fprintf(w, "  see:  %s; hull explain %s\n", strings.Join(step.Man, ", "), s.Step)
	}
	d.ask()
}

func (d *debugger) ask() {
	if d.prompt {
		io.WriteString(d.a.err, "(hull) ")
	}
}

// place names a step, which one of several it is, and the system call.
func place(step, instance, call string) string {
	if instance != "" {
		step += " " + instance
	}
	if call != "" {
		step += ": " + call
	}
	return step
}
