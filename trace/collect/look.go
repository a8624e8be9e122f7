package collect

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"hull/stages"
	"hull/trace/model"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A target is what the run is about, as the kernel saw it on the runtime's command line (OCI runtime command line: create --bundle DIR
// [--pid-file FILE] ID). Nothing in it is taken from a claim.
type target struct {
	id, bundle, root, pidFile string
	rootfs                    string     // the container's root on the host, as config.json has it
	creator                   model.Proc // the process of `runc create`
	shim                      model.Proc // its parent
	init                      model.Proc // the container's first process
	hidden                    string     // why init could not be found, if it shares the host's pid namespace; or ""
	exit                      *int       // its exit code
	exitTime                  int64      // and when
	looked                    bool       // at the exit record
	unknown                   string     // why the command line is not known, or ""
	spec                      *specs.Spec
}

// look reads states back at the only moments at which they can be: the bundle when the runtime begins, the container when it waits for its
// start, the exit record before the runtime's delete takes the bundle away.
//
// hull-trace stops nobody: between an event and the reading of it, a short run on a busy machine may be over. So a reading that finds something
// counts, but one that finds nothing counts only if, after it, somebody is still there who shows that it came in time (sawWhile).
func (c *collector) look(r *run, e event) {
	t := &r.target
	switch e.Kind {
	case stages.EventExec:
		if actorOf(e.Name) != stages.Runc && actorOf(e.Exe) != stages.Runc {
			return
		}
		argv, unknown := e.Argv, ""
		if e.Cut {
			argv, unknown = cmdline(e.Proc, argv)
		}
		switch verbOf(argv, "create", "run", "delete") {
		case "create", "run":
			if t.creator.PID == 0 {
				t.creator, t.shim, t.unknown = e.Proc, e.Parent, unknown
				if unknown == "" {
					t.parse(argv)
				}
				if r.container == "" {
					r.container = t.id
				}
				c.lookAtBundle(r)
			}
		case "delete":
			c.lookAtExit(r, e.Proc)
		}
	case stages.EventClone:
		if e.NSPID == 1 && e.Other.PID != 1 && t.init.PID == 0 && (e.Proc == t.creator || r.childOf(e.Proc, t.creator)) {
			t.init = e.Other
		}
	case stages.EventExit:
		switch e.Proc {
		case t.creator:
			c.lookAtInit(r)
		case t.init:
			code := int(e.Ret)
			t.exit, t.exitTime = &code, e.wall
		}
	}
}

// childOf looks for the fork among the events; the runtimes of others fork two or three times.
func (r *run) childOf(p, ancestor model.Proc) bool {
	for i := len(r.events) - 1; i >= 0; i-- {
		if e := &r.events[i]; e.Kind == stages.EventClone && e.Other == p {
			if e.Proc == ancestor {
				return true
			}
			p = e.Proc
		}
	}
	return false
}

func (r *run) saw(state stages.State, ok bool, format string, args ...any) {
	r.looks = append(r.looks, look{state: state, time: time.Now().UnixNano(), ok: ok, text: fmt.Sprintf(format, args...)})
}

// unread notes that a state could not be read, and why.
func (r *run) unread(state stages.State, format string, args ...any) {
	r.looks = append(r.looks, look{state: state, time: time.Now().UnixNano(), unread: true, text: fmt.Sprintf(format, args...)})
}

// sawWhile is saw for a state that lasts at least as long as the process p. It is called after the reading: if p is still there now, a reading
// that found nothing is true; if not, what should have been found may have been there.
func (r *run) sawWhile(p model.Proc, state stages.State, ok bool, format string, args ...any) {
	if !ok && !lives(p) {
		r.unread(state, "read too late: pid %d, with which it ends, had ended (%s)", p.PID, fmt.Sprintf(format, args...))
		return
	}
	r.saw(state, ok, format, args...)
}

// lives reports whether a process is there and has not exited: of one that waits to be reaped the kernel has taken most away already.
func lives(p model.Proc) bool {
	s, err := readStat(p.PID)
	return err == nil && s.start == p.Start && s.state != "Z" && s.state != "X"
}

// parse reads the runtime's arguments. Options come as "--bundle DIR", "-b DIR" or "--bundle=DIR"; the container's id is the last word.
func (t *target) parse(argv []string) {
	for i := 1; i < len(argv); i++ {
		key, value, joined := strings.Cut(argv[i], "=")
		into := map[string]*string{"--bundle": &t.bundle, "-b": &t.bundle, "--root": &t.root, "--pid-file": &t.pidFile}[key]
		switch {
		case into != nil && joined:
			*into = value
		case into != nil && i+1 < len(argv):
			i++
			*into = argv[i]
		}
	}
	t.id = argv[len(argv)-1]
	if t.bundle == "" {
		t.bundle, _ = os.Readlink(fmt.Sprintf("/proc/%d/cwd", t.creator.PID)) // the default is the current directory
	}
	if t.root == "" {
		t.root = "/run/runc"
	}
}

// cmdline is the whole command line of a process that is still there (proc_pid_cmdline(5)), or why it is not known whole.
func cmdline(p model.Proc, cut []string) (argv []string, unknown string) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/cmdline")
	if err != nil || len(text) == 0 || !lives(p) {
		return cut, fmt.Sprintf("the runtime's command line is longer than the kernel's side keeps, and pid %d had ended before it could be read", p.PID)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), ""
}
