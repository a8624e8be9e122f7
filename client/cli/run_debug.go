package cli

import (
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
	"hull/stages"
)

// debugOptions are run's flags of the stage debugger.
type debugOptions struct {
	step   bool
	breaks []string
	faults []string
}

// define has nothing for create: what is debugged is a run.
func (o *debugOptions) define(*pflag.FlagSet) {}

func (o *debugOptions) defineRun(f *pflag.FlagSet) {
	f.BoolVar(&o.step, "step", false, "Stop before each step, show what the kernel shows, and read commands from STDIN (? lists them)")
	f.Var(listValue{&o.breaks, checkBreak}, "break", "Stop before this `step`: a name of hull stages, a beginning with *, or STEP:CALL for one system call")
	f.Var(listValue{&o.faults, checkFault}, "fault", "Disturb a step: `STEP=kill`, STEP=delay:2s or STEP=errno:EPERM (needs hull up --debug)")
}

// apply has nothing to say to the daemon: the gates are hull-trace's.
func (o *debugOptions) apply(*engine.CreateRequest) error { return nil }

// gated reports whether the run is to have gates.
func (o *debugOptions) gated() bool { return o.stops() || len(o.faults) > 0 }

// stops reports whether the run may be stopped, and commands are read.
func (o *debugOptions) stops() bool { return o.step || len(o.breaks) > 0 }

// checkBreak finds the steps that a breakpoint stands for.
func checkBreak(s string) (string, error) {
	name, _, _ := strings.Cut(s, ":")
	switch found := stages.Find(name); {
	case len(found) == 0:
		return "", errors.New("no step has this name (hull stages lists them)")
	case len(found) == 1 && found[0].Has(stages.Shared):
		return "", errors.New("this step is done once for all containers, and cannot be held up for one")
	}
	return s, nil
}

// checkFault looks at the step only: which faults there are, hull-trace knows.
func checkFault(s string) (string, error) {
	step, _, ok := strings.Cut(s, "=")
	if !ok {
		return "", errors.New("no fault is named (STEP=kill, STEP=delay:2s or STEP=errno:EPERM)")
	}
	_, err := checkBreak(step)
	return s, err
}
