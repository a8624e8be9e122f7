package collect

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"hull/stages"
	"hull/trace/model"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// initStates are what lookAtInit reads of the process itself, beside what config.json asks for.
var initStates = []stages.State{
	stages.StateInitWaiting, stages.StateConsole, stages.StateUserMap, stages.StateRuntimeState, stages.StateCgroupLimits, stages.StateSysctl,
}

// lookAtInit reads the container's first process between create and start: the runtime has left, nothing of the user's has run.
func (c *collector) lookAtInit(r *run) {
	t := &r.target
	if t.init.PID == 0 && t.pidFile != "" { // it shares the host's pid namespace: no event tells it from a helper
		text, err := os.ReadFile(t.pidFile)
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil && startOf(pid) != 0 {
			t.init = model.Proc{PID: pid, Start: startOf(pid)}
		} else if r.forked(t.creator) {
			t.hidden = fmt.Sprintf("read too late: %s, or the process that it names, was gone", t.pidFile)
		}
	}
	if t.init.PID == 0 {
		if t.hidden != "" {
			for _, s := range initStates {
				r.unread(s, "%s", t.hidden)
			}
		}
		return
	}
	pid := t.init.PID
	switch { // by the events alone, which come in order however late this is
	case r.exited(t.init):
		r.saw(stages.StateInitWaiting, false, "pid %d had ended when the runtime left", pid)
	case r.executed(t.init):
		r.saw(stages.StateInitWaiting, false, "pid %d had executed another program when the runtime left", pid)
	default:
		r.saw(stages.StateInitWaiting, true, "when the runtime left, pid %d was alive and had executed nothing else", pid)
	}

	s, err := readStat(pid)
	r.sawWhile(t.init, stages.StateConsole, err == nil && s.start == t.init.Start && s.tty != 0,
		"controlling terminal of pid %d: %d:%d", pid, unix.Major(uint64(s.tty)), unix.Minor(uint64(s.tty)))
	uids, _ := os.ReadFile(fmt.Sprintf("/proc/%d/uid_map", pid))
	m := strings.Fields(string(uids))
	r.sawWhile(t.init, stages.StateUserMap, len(m) >= 3 && !(m[0] == "0" && m[1] == "0" && m[2] == "4294967295"), "uid_map: %s", strings.Join(m, " "))
	lookAtState(r)
	if t.spec == nil {
		r.unread(stages.StateCgroupLimits, "config.json, which says what was asked for, could not be read")
		r.unread(stages.StateSysctl, "config.json, which says what was asked for, could not be read")
		return
	}
	lookAtMasks(r, t.spec)
	lookAtLimits(r, t.spec)
	lookAtSysctl(r, t.spec)
}

// exited reports whether the kernel has been seen ending the process.
func (r *run) exited(p model.Proc) bool {
	return slices.ContainsFunc(r.events, func(e event) bool { return e.Kind == stages.EventExit && e.Proc == p })
}

// forked reports whether the process has made another.
func (r *run) forked(p model.Proc) bool {
	return slices.ContainsFunc(r.events, func(e event) bool { return e.Kind == stages.EventClone && e.Proc == p })
}

// executed reports whether the process has become the user's program already. It looks at the runtime's last exec as well: a sealed copy of
// itself is still the runtime.
func (r *run) executed(p model.Proc) bool {
	for i := range r.events {
		if e := &r.events[i]; e.Kind == stages.EventExec && e.Proc == p && !strings.HasPrefix(e.Exe, "/proc/self/") && !strings.HasPrefix(e.Exe, "/dev/fd/") {
			return true
		}
	}
	return false
}

// lookAtState reads the runtime's state directory, ROOT/ID: some file in it must name the first process (runc and hull-runc: state.json,
// crun: status).
func lookAtState(r *run) {
	t := &r.target
	files, _ := filepath.Glob(filepath.Join(t.root, filepath.Base(t.id), "*"))
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil || !info.Mode().IsRegular() || info.Size() > 4<<20 {
			continue // runc's exec.fifo lies beside it: opening that would start the container
		}
		if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), strconv.Itoa(t.init.PID)) {
			r.saw(stages.StateRuntimeState, true, "%s names pid %d", f, t.init.PID)
			return
		}
	}
	r.sawWhile(t.init, stages.StateRuntimeState, false, "no file in %s names pid %d", filepath.Join(t.root, filepath.Base(t.id)), t.init.PID)
}

// masks says which paths that config.json would have masked this kernel does not have, once somebody has looked.
type masks struct {
	absent map[string]bool
	unread string // why nobody could look, or ""
}

// lookAtMasks finds the paths to be masked that are not there. os.Root keeps the container's links from leading out of it.
func lookAtMasks(r *run, spec *specs.Spec) {
	root, err := os.OpenRoot(fmt.Sprintf("/proc/%d/root", r.target.init.PID))
	if err != nil {
		r.masks.unread = fmt.Sprintf("read too late: pid %d, whose root shows whether the path is there, had ended", r.target.init.PID)
		return
	}
	defer root.Close()
	if spec.Linux == nil {
		return
	}
	r.masks.absent = map[string]bool{}
	for _, p := range append(slices.Clone(spec.Linux.MaskedPaths), spec.Linux.ReadonlyPaths...) {
		if _, err := root.Lstat(strings.TrimPrefix(p, "/")); os.IsNotExist(err) {
			r.masks.absent[p] = true
		}
	}
}

// lookAtSysctl reads the parameters that config.json asks for, inside the container's namespaces: /proc/sys answers by the reader's.
func lookAtSysctl(r *run, spec *specs.Spec) {
	if spec.Linux == nil || len(spec.Linux.Sysctl) == 0 {
		return
	}
	var failed error
	apart(func() {
		if failed = enter(r.target.init.PID, "net", "ipc", "uts"); failed != nil {
			return
		}
		for key, want := range spec.Linux.Sysctl {
			text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(key, ".", "/"))
			got := strings.Join(strings.Fields(string(text)), " ")
			r.saw(stages.StateSysctl, err == nil && got == strings.Join(strings.Fields(want), " "), "%s is %q, config.json says %q", key, got, want)
		}
	})
	if failed != nil {
		r.unread(stages.StateSysctl, "the namespaces of pid %d, which show it, could not be entered: %v", r.target.init.PID, failed)
	}
}

// apart runs f on a thread that ends with it: one that has changed namespaces is locked, never unlocked, and so thrown away. The main thread
// cannot be (Go, runtime/proc.go mexit): it would be parked, and keep the container's namespaces alive. It is held until another has run f.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			apart(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}

// enter takes the calling thread into namespaces of a process (setns(2)).
func enter(pid int, namespaces ...string) error {
	for _, ns := range namespaces {
		f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, ns))
		if err != nil {
			return err
		}
		err = unix.Setns(int(f.Fd()), 0)
		f.Close()
		if err != nil {
			return fmt.Errorf("setns %s: %w", ns, err)
		}
	}
	return nil
}
