package collect

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hull/stages"
	"hull/trace/model"
)

// A tree is the run's processes as the kernel's events tell of them.
type tree struct {
	procs map[model.Proc]*model.Process
	execs map[*event]string // the stage that each exec led to
	home  string            // the pid namespace of the world outside: that of the processes that were there before
}

// growTree computes the processes from fork, exec, exit and reparent events. Nothing in it knows in which order a container is made.
func growTree(r *run, events []event) *tree {
	t := &tree{procs: map[model.Proc]*model.Process{}, execs: map[*event]string{}, home: homeNamespace()}
	for p, was := range r.before {
		t.procs[p] = &was
	}
	for i := range events {
		t.take(&events[i])
	}
	return t
}

// homeNamespace is hull-trace's own pid namespace, as the events name it: the inode.
func homeNamespace() string {
	link, _ := os.Readlink("/proc/self/ns/pid")
	return strings.Trim(strings.TrimPrefix(link, "pid:"), "[]")
}

func (t *tree) of(p model.Proc) *model.Process {
	if t.procs[p] == nil {
		t.procs[p] = &model.Process{Proc: p}
	}
	return t.procs[p]
}

func (t *tree) take(e *event) {
	self := t.of(e.Proc)
	if e.Comm != "" {
		self.Comm = e.Comm
	}
	switch e.Kind {
	case stages.EventClone:
		child := t.of(e.Other)
		child.Born, child.Exe, child.Comm, child.Stage = e.wall, self.Exe, self.Comm, self.Stage
		child.Parents = append(child.Parents, model.Parent{Time: e.wall, Proc: e.Parent})
		if e.NSPID != e.Other.PID {
			child.NSPID = e.NSPID
		}
	case stages.EventExec:
		if self.Born == 0 && len(self.Parents) == 0 { // it joined by its TRACEPARENT: its fork was a daemon's
			self.Born = e.wall - int64(e.Time-e.BootStart)
			self.Parents = []model.Parent{{Time: self.Born, Proc: e.Parent}}
		}
		if e.NSPID != e.Proc.PID {
			self.NSPID = e.NSPID
		}
		self.Exe = exePath(e, self)
		self.Execs = append(self.Execs, model.Exec{Time: e.wall, Exe: self.Exe, Args: e.Argv})
		self.Stage = t.stageOf(e, self)
		t.execs[e] = self.Stage
	case stages.EventExit:
		code := int(e.Ret)
		self.Died, self.Exit = e.wall, &code
	case stages.EventReparent:
		if n := len(self.Parents); n == 0 || self.Parents[n-1].Proc != e.Parent {
			self.Parents = append(self.Parents, model.Parent{Time: e.wall, Proc: e.Parent})
		}
	}
}

// exePath is the executable's path. A program that executes itself again (runc's sealed copy: /proc/self/exe, /proc/self/fd/N, /dev/fd/N) stays
// what it is.
func exePath(e *event, p *model.Process) string {
	viaLink := strings.HasPrefix(e.Exe, "/proc/") || strings.HasPrefix(e.Exe, "/dev/fd/")
	switch {
	case !viaLink:
		return e.Exe
	case p.Exe != "" && (strings.HasSuffix(e.Exe, "/exe") || !strings.HasPrefix(p.Exe, "/") || filepath.Base(p.Exe) == e.Name || !plain(e.Name)):
		return p.Exe
	case len(e.Argv) > 0 && filepath.IsAbs(e.Argv[0]) && filepath.Base(e.Argv[0]) == e.Name: // hull-shim's way of starting hull-runc
		return e.Argv[0]
	}
	return e.Name
}

// plain reports whether a directory entry's name is one a file was given, and not an anonymous one's (memfd:…, #1234).
func plain(name string) bool { return name != "" && !strings.ContainsAny(name, ":#") }

// actors are the executables by which stages are recognised: ours, and those that fit the same seams.
var actors = map[string]stages.Stage{
	"docker": stages.Client, "dockerd": stages.Daemon, "containerd": stages.Containerd, "ctr": stages.Client,
	"containerd-shim": stages.Shim, "runc": stages.Runc, "crun": stages.Runc,
}

func actorOf(exe string) stages.Stage {
	base := filepath.Base(exe)
	for _, s := range stages.Stages() {
		if s.Binary() != "" && base == s.Binary() {
			return s
		}
	}
	if strings.HasPrefix(base, "containerd-shim-") {
		return stages.Shim
	}
	return actors[base]
}

// stageOf decides by the executable. In a container (another pid namespace than ours, or the child of one of its processes) every program is
// the container's, whatever its name.
func (t *tree) stageOf(e *event, p *model.Process) string {
	was := p.Stage
	actor := actorOf(p.Exe)
	if was == stages.Container.String() {
		return was
	}
	inside := e.Args["ns.pid"] != "" && e.Args["ns.pid"] != t.home
	switch {
	case was == stages.Runc.String() && (actor != stages.Runc || inside && p.Exe == e.Exe):
		// The runtime's process executes something else: the container's program (or a hook's, if it is still outside).
		if inside || t.isInit(e.Proc) {
			return stages.Container.String()
		}
		return ""
	case inside && actor != stages.Runc:
		return stages.Container.String()
	case actor != 0:
		return actor.String()
	}
	return ""
}

// isInit reports whether a process shares the host's pid namespace and was set up by the runtime nevertheless: it outlived its maker.
func (t *tree) isInit(p model.Proc) bool { return len(t.of(p).Parents) > 1 }

// exeAt is the executable that a process ran at a time; before its first exec it is its parent's.
func (t *tree) exeAt(p model.Proc, time int64) (exe string) {
	proc := t.procs[p]
	if proc == nil {
		return ""
	}
	for _, x := range proc.Execs {
		if x.Time <= time {
			exe = x.Exe
		}
	}
	if exe == "" && len(proc.Execs) > 0 && len(proc.Parents) > 0 && proc.Parents[0].Proc != p {
		return t.exeAt(proc.Parents[0].Proc, proc.Parents[0].Time)
	}
	if exe == "" {
		return proc.Exe
	}
	return exe
}

// forkedBy reports whether child is p's child or grandchild (and so on) by fork.
func (t *tree) forkedBy(child, p model.Proc) bool {
	for range 16 {
		proc := t.procs[child]
		if proc == nil || len(proc.Parents) == 0 {
			return false
		}
		if child = proc.Parents[0].Proc; child == p {
			return true
		}
	}
	return false
}

// list is the processes by birth.
func (t *tree) list() []model.Process {
	all := make([]model.Process, 0, len(t.procs))
	for _, p := range t.procs {
		if p.Proc.PID != 0 {
			all = append(all, *p)
		}
	}
	slices.SortFunc(all, func(a, b model.Process) int {
		if a.Proc.Start != b.Proc.Start {
			return int(int64(a.Proc.Start) - int64(b.Proc.Start))
		}
		if a.Born != b.Born {
			return int(a.Born - b.Born)
		}
		return a.Proc.PID - b.Proc.PID
	})
	return all
}

// snapshot reads the process that the trace was begun for and its ancestors.
func (r *run) snapshot(pid int) {
	for range 32 {
		if pid <= 0 {
			return
		}
		p := model.Proc{PID: pid, Start: startOf(pid)}
		if p.Start == 0 && pid != 1 {
			return
		}
		was := readProcess(p)
		r.before[p], r.seen[p] = was, true
		if pid == r.client {
			r.alive[p] = true
		}
		if len(was.Parents) == 0 {
			return
		}
		pid = was.Parents[0].Proc.PID
	}
}

// readProcess is what /proc knows of a process now. One that is gone keeps its pid and start only.
func readProcess(p model.Proc) model.Process {
	proc := model.Process{Proc: p}
	stat, err := readStat(p.PID)
	if err != nil || stat.start != p.Start {
		return proc
	}
	proc.Comm = stat.comm
	proc.Exe, _ = os.Readlink(fmt.Sprintf("/proc/%d/exe", p.PID))
	proc.Exe = strings.TrimSuffix(proc.Exe, " (deleted)")
	if s := actorOf(proc.Exe); s != 0 {
		proc.Stage = s.String()
		proc.Threads = s == stages.Daemon || s == stages.Containerd
	}
	if stat.parent != 0 {
		proc.Parents = []model.Parent{{Proc: model.Proc{PID: stat.parent, Start: startOf(stat.parent)}}}
	}
	return proc
}

// A stat is a few fields of /proc/PID/stat (proc_pid_stat(5)).
type stat struct {
	comm   string
	state  string
	parent int
	tty    int
	start  uint64
}

func readStat(pid int) (s stat, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, err
	}
	open, end := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
	if open < 0 || end < open {
		return s, fmt.Errorf("/proc/%d/stat: malformed", pid)
	}
	s.comm = string(text[open+1 : end])
	f := strings.Fields(string(text[end+1:]))
	if len(f) < 20 {
		return s, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(f))
	}
	s.state = f[0]
	s.parent, _ = strconv.Atoi(f[1])
	s.tty, _ = strconv.Atoi(f[4])
	s.start, _ = strconv.ParseUint(f[19], 10, 64)
	return s, nil
}

func startOf(pid int) uint64 {
	s, _ := readStat(pid)
	return s.start
}
