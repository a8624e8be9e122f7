package gate

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// A fault strikes once, at the first gate that its pattern matches.
type fault struct {
	at    pattern
	text  string // as it was asked for
	kill  bool
	delay time.Duration
	errno syscall.Errno
	done  bool
}

// parseFault reads STEP=kill, STEP=delay:DURATION or STEP=errno:NAME.
func parseFault(text string) (*fault, error) {
	refuse := func(err error) (*fault, error) {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "fault " + text, Err: err, Hint: "STEP=kill, STEP=delay:2s or STEP=errno:EPERM"}
	}
	step, what, ok := strings.Cut(text, "=")
	if !ok {
		return refuse(errors.New("no fault is named"))
	}
	at, err := parsePattern(step)
	if err != nil {
		return nil, err
	}
	f := &fault{at: at, text: what}
	kind, value, _ := strings.Cut(what, ":")
	switch kind {
	case "kill":
		f.kill = true
		if value != "" {
			return refuse(errors.New("kill takes no value"))
		}
	case "delay":
		if f.delay, err = time.ParseDuration(value); err != nil || f.delay <= 0 || f.delay > time.Hour {
			return refuse(fmt.Errorf("%q is no time between 0 and 1h", value))
		}
	case "errno":
		if f.errno = errnoOf(value); f.errno == 0 {
			return refuse(fmt.Errorf("%q is no name of an errno", value))
		}
		if unable := unfailing(at); unable != "" {
			return refuse(fmt.Errorf("%s cannot fail: %s", at.name, unable))
		}
	default:
		return refuse(fmt.Errorf("%q is no fault", kind))
	}
	return f, nil
}

// errnoOf finds an errno by its name (errno(3)).
func errnoOf(name string) syscall.Errno {
	for e := syscall.Errno(1); e < 134; e++ {
		if unix.ErrnoName(e) == name {
			return e
		}
	}
	return 0
}

// unfailing says why an errno cannot be put at a step: nothing of ours runs there that could be told.
func unfailing(p pattern) string {
	id, _ := stages.Lookup(p.name)
	switch id {
	case stages.ClientExit, stages.RuncCreateExit:
		return "the process is about to leave, and nothing is left that could go wrong"
	case stages.ShimReap, stages.ShimExitPublish, stages.ContainerdExitForward, stages.DaemonExitObserve, stages.ContainerRunning, stages.ContainerExit:
		return "it tells of what has happened already"
	case stages.DaemonRestore, stages.ContainerdRestore:
		return "what is there is found, whatever else fails"
	}
	return ""
}
