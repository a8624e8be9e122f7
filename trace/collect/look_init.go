package collect

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"hull/stages"
	"hull/trace/model"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// lookAtInit reads the container's first process between create and start: the runtime has left, nothing of the user's has run.
func (c *collector) lookAtInit(r *run) {
	t := &r.target
	if t.init.PID == 0 && t.pidFile != "" { // it shares the host's pid namespace: no event tells it from a helper
		if text, err := os.ReadFile(t.pidFile); err == nil {
			pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
			t.init = model.Proc{PID: pid, Start: startOf(pid)}
		}
	}
	if t.init.PID == 0 {
		return
	}
	s, err := readStat(t.init.PID)
	if err != nil || s.start != t.init.Start {
		r.saw(stages.StateInitWaiting, false, "pid %d has ended", t.init.PID)
		return
	}
	exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", t.init.PID))
	r.saw(stages.StateInitWaiting, !r.executed(t.init), "pid %d is alive (state %s) and still runs %s", t.init.PID, s.state, exe)
	r.saw(stages.StateConsole, s.tty != 0, "controlling terminal of pid %d: %d:%d", t.init.PID, unix.Major(uint64(s.tty)), unix.Minor(uint64(s.tty)))

	uids, _ := os.ReadFile(fmt.Sprintf("/proc/%d/uid_map", t.init.PID))
	m := strings.Fields(string(uids))
	r.saw(stages.StateUserMap, len(m) >= 3 && !(m[0] == "0" && m[1] == "0" && m[2] == "4294967295"), "uid_map: %s", strings.Join(m, " "))

	lookAtState(r)
	spec, err := readSpec(t.bundle)
	if err != nil {
		return
	}
	lookAtMasks(r, spec)
	lookAtLimits(r, spec)
	lookAtSysctl(r, spec)
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
	r.saw(stages.StateRuntimeState, false, "no file in %s names pid %d", filepath.Join(t.root, filepath.Base(t.id)), t.init.PID)
}

// lookAtMasks finds the paths that config.json would have masked and that this kernel does not have. os.Root keeps the container's links from
// leading out of it.
func lookAtMasks(r *run, spec *specs.Spec) {
	root, err := os.OpenRoot(fmt.Sprintf("/proc/%d/root", r.target.init.PID))
	if err != nil || spec.Linux == nil {
		return
	}
	defer root.Close()
	r.absent = map[string]bool{}
	for _, p := range append(spec.Linux.MaskedPaths, spec.Linux.ReadonlyPaths...) {
		if _, err := root.Lstat(strings.TrimPrefix(p, "/")); os.IsNotExist(err) {
			r.absent[p] = true
		}
	}
}

// lookAtSysctl reads the parameters that config.json asks for, inside the container's namespaces: /proc/sys answers by the reader's.
func lookAtSysctl(r *run, spec *specs.Spec) {
	if spec.Linux == nil || len(spec.Linux.Sysctl) == 0 {
		return
	}
	apart(func() {
		for _, ns := range []string{"net", "ipc", "uts"} {
			f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", r.target.init.PID, ns))
			if err != nil {
				return
			}
			err = unix.Setns(int(f.Fd()), 0)
			f.Close()
			if err != nil {
				return
			}
		}
		for key, want := range spec.Linux.Sysctl {
			text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(key, ".", "/"))
			got := strings.Join(strings.Fields(string(text)), " ")
			r.saw(stages.StateSysctl, err == nil && got == strings.Join(strings.Fields(want), " "), "%s is %q, config.json says %q", key, got, want)
		}
	})
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
