package cli

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"hull/client/engine"
)

// levels are how much of a trace the timeline tells, from least to most.
var levels = []string{"story", "stages", "all"}

func checkLevel(level string) error {
	if !slices.Contains(levels, level) {
		return fmt.Errorf("use %s", strings.Join(levels, ", "))
	}
	return nil
}

// A traceFlag is --trace: alone it tells the story, with a level more. It also takes what a flag without a value takes.
type traceFlag struct {
	on    *bool
	level *string
}

// defineTrace adds --trace to a command's flags.
func defineTrace(f *pflag.FlagSet, on *bool, level *string) {
	*level = levels[0]
	f.Var(traceFlag{on, level}, "trace", "Record every step, and print the timeline to STDERR after the container's output: story, stages or all")
	f.Lookup("trace").NoOptDefVal = levels[0]
}

func (f traceFlag) String() string {
	if f.on == nil || !*f.on {
		return ""
	}
	return *f.level
}

func (f traceFlag) Type() string { return "level" }

func (f traceFlag) Set(s string) error {
	if on, err := strconv.ParseBool(s); err == nil {
		*f.on = on
		return nil
	}
	if err := checkLevel(s); err != nil {
		return err
	}
	*f.on, *f.level = true, s
	return nil
}

// timeline is the form of a timeline for one of our streams: as wide as its terminal, and in colour only on one, unless the reader wants none
// (https://no-color.org).
func timeline(to any, level string) engine.Timeline {
	form := engine.Timeline{Level: level}
	f, ok := to.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return form
	}
	form.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		form.Width = width
	}
	return form
}
