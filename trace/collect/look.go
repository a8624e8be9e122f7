package collect

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"hull/stages"
	"hull/trace/model"
)

// A target is what the run is about, as the kernel saw it on the runtime's command line (OCI runtime command line: create --bundle DIR
// [--pid-file FILE] ID). Nothing in it is taken from a claim.
type target struct {
	id, bundle, root, pidFile string
	rootfs                    string     // the container's root on the host, as config.json has it
	creator                   model.Proc // the process of `runc create`
	shim                      model.Proc // its parent
	init                      model.Proc // the container's first process
	exit                      *int       // its exit code
	looked                    bool       // at the exit record
}

// look reads states back at the only moments at which they can be: the bundle when the runtime begins, the container when it waits for its
// start, the exit record before the runtime's delete takes the bundle away.
func (c *collector) look(r *run, e event) {
	t := &r.target
	switch e.Kind {
	case stages.EventExec:
		if actorOf(e.Name) != stages.Runc && actorOf(e.Exe) != stages.Runc {
			return
		}
		argv := e.Argv
		if e.Cut {
			argv = cmdline(e.Proc, argv)
		}
		switch verbOf(argv, "create", "run", "exec", "delete") {
		case "create", "run":
			if t.creator.PID == 0 {
				t.creator, t.shim = e.Proc, e.Parent
				t.parse(argv)
				if r.container == "" {
					r.container = t.id
				}
				c.lookAtBundle(r)
			}
		case "exec":
			if t.shim.PID == 0 { // the trace of an exec alone
				t.shim = e.Parent
				c.lookAtStdio(r)
			}
		case "delete":
			c.lookAtExit(r)
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
			t.exit = &code
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

// cmdline is the whole command line of a process that is still there (proc_pid_cmdline(5)).
func cmdline(p model.Proc, cut []string) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/cmdline")
	if err != nil || startOf(p.PID) != p.Start {
		return cut
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}
