package main_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hull/stages"

	"github.com/stretchr/testify/require"
)

// A debugged is a client under the debugger, driven as a script does: commands go to its standard input, stops come on standard error.
type debugged struct {
	e      *engine
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  *bufio.Scanner
	stdout bytes.Buffer
	text   strings.Builder // all of standard error
}

// A stop is one that the client has printed.
type stop struct {
	step, instance, next string
	pid                  int
}

func (e *engine) debug(args ...string) *debugged {
	e.t.Helper()
	d := &debugged{e: e, cmd: e.cmd(args...)}
	var err error
	d.in, err = d.cmd.StdinPipe()
	require.NoError(e.t, err)
	text, err := d.cmd.StderrPipe()
	require.NoError(e.t, err)
	d.cmd.Stdout = &d.stdout
	d.lines = bufio.NewScanner(text)
	require.NoError(e.t, d.cmd.Start())
	e.t.Cleanup(func() { d.cmd.Process.Kill() }) // of a test that has failed
	return d
}

var nextLine = regexp.MustCompile(`^  next: (\S+?)(?: (.*?))?(?:: (.*))? in (\S+), pid (\d+)$`)

// stop waits for the next stop; false is the end of the client's output.
func (d *debugged) stop() (s stop, ok bool) {
	for d.lines.Scan() {
		d.text.WriteString(d.lines.Text() + "\n")
		if m := nextLine.FindStringSubmatch(d.lines.Text()); m != nil {
			pid, _ := strconv.Atoi(m[5])
			return stop{step: m[1], instance: m[2], next: m[3], pid: pid}, true
		}
	}
	return stop{}, false
}

func (d *debugged) say(command string) { io.WriteString(d.in, command+"\n") }

// end waits for the client's end and returns its exit code.
func (d *debugged) end() int {
	for d.lines.Scan() {
		d.text.WriteString(d.lines.Text() + "\n")
	}
	d.cmd.Wait()
	return d.cmd.ProcessState.ExitCode()
}

// empty waits until nothing of any container is there: no record, bundle, stream, snapshot, cgroup, mount or process.
func (e *engine) empty(snapshots []string) {
	e.t.Helper()
	e.until("the container is gone", func() bool {
		return len(e.dirs()) == 0 && len(e.snapshots()) == len(snapshots) && len(e.cgroupsBelow()) == 0
	})
	require.Empty(e.t, strings.TrimSpace(e.ok("ps", "-aq")))
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(e.t, err)
	require.NotContains(e.t, string(mounts), e.inst.Root+"/")
	e.until("no shim and no runtime", func() bool { return len(e.processes("hull-shim"))+len(e.processes("hull-runc")) == 0 })
}

// cgroupsBelow are the containers' groups.
func (e *engine) cgroupsBelow() (dirs []string) {
	for _, g := range e.cgroups() {
		if !strings.HasSuffix(g, e.inst.CgroupParent()) {
			dirs = append(dirs, g)
		}
	}
	return dirs
}

// processes are the instance's of one program.
func (e *engine) processes(name string) (found []string) {
	out, _ := exec.Command("pgrep", "-af", name+" .*"+e.inst.Root).Output()
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if strings.Contains(line, "/"+name+" ") {
			found = append(found, line)
		}
	}
	return found
}

// TestDebugger shares one instance: it is the same run again and again.
func TestDebugger(t *testing.T) {
	e := up(t, "--debug")
	e.ok("run", "--rm", "--network", "none", "busybox", "true")
	snapshots := e.snapshots()
	t.Run("through", func(t *testing.T) { e.sub(t).stepThrough(snapshots) })
	t.Run("leave", func(t *testing.T) { e.sub(t).leaveAtStops(snapshots) })
	t.Run("calls", func(t *testing.T) { e.sub(t).systemCalls(snapshots) })
	t.Run("faults", func(t *testing.T) { e.sub(t).faults(snapshots) })
}

// sub is the engine as a subtest sees it.
func (e *engine) sub(t *testing.T) *engine {
	return &engine{t: t, bin: e.bin, inst: e.inst, net: e.net}
}

var oneRun = []string{"--rm", "--network", "none", "busybox", "echo", "hi"}

// stepThrough drives a whole run with Enter. The stops come in the catalogue's order: within each stage as its rows stand, and never before the
// step they are part of. At pivot_root the mounts of the container's first process are looked at from outside, before and after.
func (e *engine) stepThrough(snapshots []string) {
	d := e.debug(append([]string{"run", "--step"}, oneRun...)...)
	last, seen := map[stages.Stage]stages.ID{}, map[stages.ID]bool{}
	var before, after string
	init := 0
	for {
		s, ok := d.stop()
		if !ok {
			break
		}
		id, ok := stages.Lookup(s.step)
		require.True(e.t, ok, s.step)
		step := id.Step()
		require.GreaterOrEqual(e.t, id, last[step.Stage], "%s comes after %s", s.step, last[step.Stage])
		require.True(e.t, step.Parent == stages.None || seen[step.Parent], "%s comes before %s", s.step, step.Parent)
		last[step.Stage], seen[id] = id, true
		switch {
		case id == stages.RuncInitPivotRoot:
			init, before = s.pid, mountinfo(e.t, s.pid)
		case s.pid == init && after == "":
			after = mountinfo(e.t, s.pid)
		}
		d.say("")
	}
	require.Zero(e.t, d.end(), d.text.String())
	require.Equal(e.t, "hi\n", d.stdout.String())

	require.Regexp(e.t, `(?m) / `+regexp.QuoteMeta(e.inst.Tasks())+`/hull/[0-9a-f]{64}/rootfs .* - overlay `, before)
	require.Regexp(e.t, `(?m)/rootfs/proc .* - proc `, before)
	require.Regexp(e.t, `(?m)^\d+ \d+ \S+ / / .* - overlay `, after)
	require.Regexp(e.t, `(?m) /proc .* - proc `, after)
	require.NotContains(e.t, after, "rootfs")
	require.Contains(e.t, d.text.String(), "a zombie: not yet waited for")
	for _, s := range stages.All() {
		unseen := s.Has(stages.Optional) || s.ID == stages.ContainerRunning || s.ID == stages.ContainerExit
		if !unseen {
			require.True(e.t, seen[s.ID], "no stop before %s", s.Name)
		}
	}
	e.empty(snapshots)
}

func mountinfo(t *testing.T, pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	require.NoError(t, err)
	return string(text)
}

// leaveAtStops: wherever the client goes away, by kill -9, by Ctrl-C or by q, nothing of the run is left and the program has not run.
func (e *engine) leaveAtStops(snapshots []string) {
	ways := []string{"kill", "interrupt", "q"}
	for i, at := range []string{
		"client.create", "daemon.spec", "containerd.snapshot.prepare", "client.start", "bundle.config", "shim.start", "shim.subreaper",
		"shim.rootfs.mount", "runc.cgroup.limits", "runc.init.pivot_root", "runc.init.wait_start", "shim.adopt", "daemon.task.start",
		"runc.init.exec",
	} {
		way := ways[i%len(ways)]
		if at == "client.start" || at == "runc.init.pivot_root" {
			way = "kill"
		}
		d := e.debug("run", "--break", at, "--network", "none", "busybox", "sleep", "1000")
		s, ok := d.stop()
		require.True(e.t, ok, "%s: %s", at, d.text.String())
		require.Equal(e.t, at, s.step)
		switch way {
		case "kill":
			d.cmd.Process.Kill()
		case "interrupt":
			d.cmd.Process.Signal(syscall.SIGINT)
		case "q":
			d.say("q")
		}
		code := d.end()
		if way != "kill" {
			require.NotZero(e.t, code, at)
			require.Empty(e.t, e.dirs(), "%s at %s: the client has left before all was cleaned up\n%s", way, at, d.text.String())
		}
		e.empty(snapshots)
	}
}

// systemCalls: a breakpoint at one row of init's table, and s from there to the next.
func (e *engine) systemCalls(snapshots []string) {
	d := e.debug(append([]string{"run", "--break", "runc.init.pivot_root:umount2"}, oneRun...)...)
	s, ok := d.stop()
	require.True(e.t, ok, d.text.String())
	require.Equal(e.t, `umount2(".", 2)`, s.next)
	require.Contains(e.t, mountinfo(e.t, s.pid), "/rootfs ", "the old root lies on the new one until it is unmounted")
	d.say("s")
	s, _ = d.stop()
	require.Equal(e.t, `chdir("/")`, s.next)
	d.say("b runc.init.hostname")
	d.say("b nonsense")
	d.say("b client.ex*")
	d.say("c")
	s, _ = d.stop()
	require.Equal(e.t, "runc.init.hostname", s.step)
	d.say("")
	s, _ = d.stop()
	require.Equal(e.t, "runc.init.loopback", s.step)
	d.say("c")
	s, _ = d.stop()
	require.Equal(e.t, "client.exit", s.step)
	d.say("c")
	require.Zero(e.t, d.end(), d.text.String())
	require.Equal(e.t, "hi\n", d.stdout.String())
	require.Contains(e.t, d.text.String(), "b nonsense: no step has this name")
	e.empty(snapshots)
}

// faults: each is told of where it strikes, ends the run with an error that names its step, and leaves nothing.
func (e *engine) faults(snapshots []string) {
	for _, fault := range []string{
		"client.create=errno:EIO", "client.attach=errno:EIO", "client.start=errno:EIO", "daemon.create=errno:ENOMEM", "daemon.spec=errno:EIO",
		"daemon.container.create=errno:ENOSPC", "daemon.network.plug=errno:ENODEV", "daemon.task.start=errno:EIO",
		"containerd.snapshot.prepare=errno:ENOSPC", "containerd.container.create=errno:ENOSPC", "containerd.bundle=errno:EAGAIN",
		"containerd.task.start=errno:EIO", "bundle.config=errno:ENOSPC", "bundle.config=kill", "shim.start=errno:EAGAIN", "shim.subreaper=kill",
		"shim.rootfs.mount=errno:EPERM", "shim.runtime.create=kill", "shim.adopt=errno:ESRCH", "runc.cgroup.create=errno:ENOSPC",
		"runc.cgroup.limits=kill", "runc.ns.create=errno:ENOSPC", "runc.init.mounts:move_mount=errno:ENOENT",
		"runc.init.pivot_root:pivot_root=errno:EINVAL", "runc.init.capabilities=kill", "runc.state.save=errno:ENOSPC", "runc.init.exec=errno:E2BIG",
	} {
		out, text, code := e.run(append([]string{"run", "--fault", fault}, oneRun...)...)
		step, what, _ := strings.Cut(fault, "=")
		step, _, _ = strings.Cut(step, ":")
		require.NotZero(e.t, code, "%s: %s", fault, text)
		require.Empty(e.t, out, fault)
		first, rest, _ := strings.Cut(text, "\n")
		require.Contains(e.t, first, "fault: "+what+" at "+step, fault)
		require.NotEmpty(e.t, rest, fault)
		if !strings.HasSuffix(fault, "kill") {
			require.Contains(e.t, rest, step, fault)
		}
		require.Equal(e.t, 1, strings.Count(rest, "\n"), "one line: %s", rest)
		e.empty(snapshots)
	}
	// Killed when start has been seen already: for everybody that is a program that ended so.
	_, text, code := e.run(append([]string{"run", "--fault", "runc.init.exec=kill"}, oneRun...)...)
	require.Equal(e.t, 137, code, text)
	e.empty(snapshots)
	// A delay harms nobody.
	var out string
	out, text, code = e.run(append([]string{"run", "--fault", "runc.init.pivot_root=delay:50ms", "--fault", "daemon.spec=delay:10ms"}, oneRun...)...)
	require.Zero(e.t, code, text)
	require.Equal(e.t, "hi\n", out)
	require.Contains(e.t, text, "delay:50ms at runc.init.pivot_root")
	e.empty(snapshots)
	for _, bad := range []string{"client.exit=errno:EIO", "runc.create=errno:NOSUCH", "runc.create=explode", "runc.create=delay:soon", "runc.create", "nonsense=kill"} {
		_, text, code := e.run(append([]string{"run", "--fault", bad}, oneRun...)...)
		require.Equal(e.t, 125, code, "%s: %s", bad, text)
	}
	_, text, code = e.run("run", "-i", "--step", "busybox", "true")
	require.Equal(e.t, 125, code)
	require.Contains(e.t, text, "--interactive")
	e.empty(snapshots)
}

// TestFaultsNeedDebug: an instance that was not started for it lets nobody disturb a run; stopping one is no disturbance.
func TestFaultsNeedDebug(t *testing.T) {
	e := up(t)
	_, text, code := e.run(append([]string{"run", "--fault", "runc.create=kill"}, oneRun...)...)
	require.Equal(t, 125, code)
	require.Contains(t, text, "hull up --debug")
	d := e.debug(append([]string{"run", "--break", "client.start"}, oneRun...)...)
	_, ok := d.stop()
	require.True(t, ok)
	d.say("c")
	require.Zero(t, d.end(), d.text.String())
}

// TestDownAtAStop: taking the instance down ends a run that waits; up's own cleanup then looks for what is left.
func TestDownAtAStop(t *testing.T) {
	e := up(t)
	d := e.debug(append([]string{"run", "--break", "runc.init.pivot_root"}, oneRun...)...)
	_, ok := d.stop()
	require.True(t, ok, d.text.String())
	e.ok("down")
	require.NotZero(t, d.end())
	e.nothingLeft("")
	e.ok("up")
}
