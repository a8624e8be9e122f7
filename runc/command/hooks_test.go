package command_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/sys/unix"
)

// A record is what a hook saw.
type record struct {
	name  string
	ns    map[string]string // of the process that the hook was
	view  string            // whose tree it saw: see hooked
	state specs.State
}

// namespaces whose numbers a hook records.
var namespaces = []string{"mnt", "pid", "net", "uts", "ipc", "cgroup"}

// hooked makes a hook that records what it sees in the file /log of the container's root, and then runs the script. One that is executed in
// the container has the container's paths.
func (b *bench) hooked(name, script string) specs.Hook {
	log := b.bundle + "/rootfs/log"
	if strings.HasPrefix(name, "startContainer") {
		log = "/log"
	}
	// "host" is the tree with the bundle in it, "mounted" the one that also has the container's mounts, "container" the one after the pivot.
	view := fmt.Sprintf("if [ -d %s ]; then if grep -q ' %[1]s/rootfs/proc ' /proc/self/mountinfo; then echo mounted; else echo host; fi; else echo container; fi", b.bundle)
	links := ""
	for _, ns := range namespaces {
		links += " /proc/self/ns/" + ns
	}
	all := fmt.Sprintf("{ echo '%s'; for l in%s; do readlink $l; done; %s; cat; echo; } >>%s; %s", name, links, view, log, script)
	return specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", all}, Env: []string{"PATH=/bin:/usr/bin"}}
}

// records reads what the hooks have seen, in the order in which they ran, and forgets it.
func (b *bench) records() (all []record) {
	text, err := os.ReadFile(b.bundle + "/rootfs/log")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(b.t, err)
	require.NoError(b.t, os.Remove(b.bundle+"/rootfs/log"))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for each := range slices.Chunk(lines, len(namespaces)+3) {
		require.Len(b.t, each, len(namespaces)+3, "%s", text)
		r := record{name: each[0], ns: map[string]string{}, view: each[len(namespaces)+1]}
		for i, ns := range namespaces {
			r.ns[ns] = each[1+i]
		}
		require.NoError(b.t, json.Unmarshal([]byte(each[len(namespaces)+2]), &r.state), "%s", text)
		all = append(all, r)
	}
	return all
}

func names(all []record) (list []string) {
	for _, r := range all {
		list = append(list, r.name)
	}
	return list
}

// kind is the list of one kind's hooks in the configuration.
func kind(h *specs.Hooks, name string) *[]specs.Hook {
	return map[string]*[]specs.Hook{
		//lint:ignore SA1019 deprecated, and offered
		"prestart": &h.Prestart, "createRuntime": &h.CreateRuntime, "createContainer": &h.CreateContainer,
		"startContainer": &h.StartContainer, "poststart": &h.Poststart, "poststop": &h.Poststop,
	}[name]
}

var hookKinds = []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}

// allHooks asks for two hooks of each kind; the script is the first one's of one kind.
func (b *bench) allHooks(of, script string) {
	b.spec.Hooks = &specs.Hooks{}
	for _, k := range hookKinds {
		first := b.hooked(k+" 0", "true")
		if k == of {
			first = b.hooked(k+" 0", script)
		}
		*kind(b.spec.Hooks, k) = []specs.Hook{first, b.hooked(k+" 1", "true")}
	}
}

// TestHooks: all kinds, in order, with the state of that moment on standard input, in the namespaces that the specification says.
func TestHooks(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sleep", "1000"}
		s.Annotations = map[string]string{"k": strings.Repeat("v", 200<<10)} // more than a pipe holds
	})
	b.allHooks("", "")
	id := b.id("hooks")
	require.Regexp(t, `hooks +read\(fd, …, 8\)\n.* hooks +close\(fd\)\n.*runc.init.pivot_root`, b.must("plan", b.bundle), "where the first process waits")
	pid, _ := b.create(id)
	created := b.records()
	require.Equal(t, []string{"prestart 0", "prestart 1", "createRuntime 0", "createRuntime 1", "createContainer 0", "createContainer 1"}, names(created))

	// What config.json says from now on does not count.
	b.spec.Hooks = nil
	b.writeSpec()
	proc := fmt.Sprintf("/proc/%d", pid)
	theirs := map[string]string{}
	for _, ns := range namespaces {
		theirs[ns] = link(t, proc+"/ns/"+ns)
	}
	b.must("start", id)
	started := b.records()
	require.Equal(t, []string{"startContainer 0", "startContainer 1", "poststart 0", "poststart 1"}, names(started))
	b.must("kill", id, "KILL")
	reap(t, pid)
	b.must("delete", id)
	deleted := b.records()
	require.Equal(t, []string{"poststop 0", "poststop 1"}, names(deleted))

	ours := map[string]string{}
	for _, ns := range namespaces {
		ours[ns] = link(t, "/proc/self/ns/"+ns)
	}
	for _, r := range slices.Concat(created, started, deleted) {
		k, _, _ := strings.Cut(r.name, " ")
		want := specs.State{Version: "1.0.2", ID: id, Bundle: b.bundle, Annotations: b.spec.Annotations, Status: specs.StateCreated, Pid: pid}
		ns, view := ours, "host"
		switch k {
		case "createContainer":
			ns, view, want.Pid = theirs, "mounted", 1
		case "startContainer":
			ns, view, want.Pid = theirs, "container", 1
		case "poststart":
			want.Status = specs.StateRunning
		case "poststop":
			want.Status, want.Pid = specs.StateStopped, 0
		}
		require.Equal(t, want, r.state, r.name)
		require.Equal(t, ns, r.ns, r.name)
		require.Equal(t, view, r.view, r.name)
	}
}

// A hook that fails: what ran, what did not, and what is left.
func TestHookFails(t *testing.T) {
	for i, k := range hookKinds[:3] {
		t.Run(k, func(t *testing.T) {
			b := newBench(t, nil)
			b.allHooks(k, "echo one word >&2; yes | head -c 200000; echo the end; exit 3")
			line := b.createFails(b.id("fails"))
			require.Contains(t, line, "runc.hook: "+k+" 0: /bin/sh: exit status 3: ")
			require.Contains(t, line, "; the end")
			require.Less(t, len(line), 1500)
			var want []string
			for _, before := range hookKinds[:i] {
				want = append(want, before+" 0", before+" 1")
			}
			// What the hooks of create have made elsewhere is undone by those of poststop.
			require.Equal(t, append(want, k+" 0", "poststop 0", "poststop 1"), names(b.records()))
			require.NoDirExists(t, b.root+"/"+b.prefix+".fails")
		})
	}
	t.Run("startContainer", func(t *testing.T) {
		b := newBench(t, nil)
		b.allHooks("startContainer", "echo why; exit 3")
		id := b.id("fails")
		pid, _ := b.create(id)
		require.Contains(t, b.fails("start", id), "runc.hook: startContainer 0: /bin/sh: exit status 3: why")
		require.Equal(t, 128+int(unix.SIGKILL), reap(t, pid), "the user's program has not run")
		require.Equal(t, specs.StateStopped, b.status(id).Status)
		b.must("delete", id)
		require.Equal(t, append(twice(hookKinds[:3]), "startContainer 0", "poststop 0", "poststop 1"), names(b.records()))
	})
	// Until 1.1 of the specification a warning, from 1.2 on the end.
	for version, warns := range map[string]bool{"1.0.2-dev": true, "1.1.0": true, "1.2.0": false, "1.10.0": false} {
		t.Run("poststart "+version, func(t *testing.T) {
			b := newBench(t, func(s *specs.Spec) { s.Version, s.Process.Args = version, []string{"sleep", "1000"} })
			b.allHooks("poststart", "exit 3")
			id := b.id("fails")
			pid, _ := b.create(id)
			log := t.TempDir() + "/log"
			_, errs, err := b.run("--log", log, "start", id)
			const says = "runc.hook: poststart 0: /bin/sh: exit status 3"
			if warns {
				require.NoError(t, err)
				require.Contains(t, read(t, log), `level=warning msg="`+says)
				require.Equal(t, specs.StateRunning, b.status(id).Status)
				b.must("kill", id, "KILL")
				require.Contains(t, names(b.records()), "poststart 1")
			} else {
				require.Error(t, err)
				require.Contains(t, errs, says)
				require.NotContains(t, names(b.records()), "poststart 1")
			}
			require.Equal(t, 128+int(unix.SIGKILL), reap(t, pid))
			b.must("delete", id)
			require.Equal(t, []string{"poststop 0", "poststop 1"}, names(b.records()))
		})
	}
	t.Run("poststop", func(t *testing.T) {
		b := newBench(t, nil)
		b.allHooks("poststop", "exit 3")
		id := b.id("fails")
		pid, _ := b.create(id)
		log := t.TempDir() + "/log"
		b.must("--log", log, "delete", id)
		reap(t, pid)
		require.Contains(t, read(t, log), `level=warning msg="runc.hook: poststop 0: /bin/sh: exit status 3`)
		require.Equal(t, append(twice(hookKinds[:3]), "poststop 0", "poststop 1"), names(b.records()))
	})
}

func twice(kinds []string) (list []string) {
	for _, k := range kinds {
		list = append(list, k+" 0", k+" 1")
	}
	return list
}

// A hook that does not end is killed with what it started, and has failed.
func TestHookHangs(t *testing.T) {
	for _, k := range hookKinds[:4] {
		t.Run(k, func(t *testing.T) {
			b := newBench(t, nil)
			timeout := 1
			// Its process group, by a number that we can ask for: the hook's own numbers are the container's.
			script := fmt.Sprintf("sh -c 'sleep 1000; : %s' & sh -c 'sleep 1000; : %[1]s'", b.root)
			b.allHooks(k, script)
			(*kind(b.spec.Hooks, k))[0].Timeout = &timeout
			id := b.id("hangs")
			says := "runc.hook: " + k + " 0: /bin/sh: it was killed after 1 s"
			if k == "startContainer" {
				pid, _ := b.create(id)
				require.Contains(t, b.fails("start", id), says)
				reap(t, pid)
				b.must("delete", id)
			} else {
				require.Contains(t, b.createFails(id), says)
			}
			b.noneLeft()
		})
	}
}

// What cannot be a hook is refused by the field's name, before anything is made.
func TestHookConfig(t *testing.T) {
	b := newBench(t, nil)
	zero, negative := 0, -1
	for _, k := range hookKinds {
		for problem, bad := range map[string]specs.Hook{
			`[1].path: "bin/true" is not an absolute path`: {Path: "bin/true"},
			`[1].path: "" is not an absolute path`:         {},
			`[1].env[1]: "novalue" is not NAME=VALUE`:      {Path: "/bin/true", Env: []string{"A=b", "novalue"}},
			"[1].timeout: 0 is not greater than zero":      {Path: "/bin/true", Timeout: &zero},
			"[1].timeout: -1 is not greater than zero":     {Path: "/bin/true", Timeout: &negative},
		} {
			b.allHooks("", "")
			(*kind(b.spec.Hooks, k))[1] = bad
			require.Contains(t, b.createFails(b.id("bad")), "runc.create: hooks."+k+problem)
			require.Empty(t, b.records(), "a hook has run")
			require.NoDirExists(t, b.root)
		}
	}
}

// A hook that is not there, or is no program, is named with the reason.
func TestHookIsNotThere(t *testing.T) {
	for _, k := range hookKinds[:4] {
		b := newBench(t, nil)
		b.allHooks("", "")
		for path, why := range map[string]string{"/nosuch": "no such file or directory", "/etc/passwd": "permission denied"} {
			(*kind(b.spec.Hooks, k))[0].Path = path
			id := b.id("absent")
			want := fmt.Sprintf("runc.hook: %s 0: %s: ", k, path)
			var line string
			if k == "startContainer" {
				pid, _ := b.create(id)
				line = b.fails("start", id)
				reap(t, pid)
				b.must("delete", id)
			} else {
				line = b.createFails(id)
			}
			require.Contains(t, line, want)
			require.Contains(t, line, why)
		}
	}
}

// The container's own hooks have the rights of its first process and no more; a hook of the runtime is in none of its groups. All have
// three descriptors.
func TestHookRights(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.User, s.Process.NoNewPrivileges = specs.User{UID: 1000, GID: 1000}, true
		s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 77, Hard: 77}}
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"mount"}, Action: specs.ActErrno}}}
		s.Process.Args = []string{"sh", "-c", "grep -E '^(Uid|Gid|Cap|Seccomp:|NoNewPrivs)' /proc/self/status; ulimit -n; grep :memory: /proc/self/cgroup"}
	})
	seen := func(file string) string { return "exec >" + file + "; " + b.spec.Process.Args[2] }
	inside := "/tmp/seen"
	require.NoError(t, os.Chmod(b.bundle+"/rootfs/tmp", 0o777))
	all := func(path, script string) []specs.Hook {
		return []specs.Hook{{Path: path, Args: []string{"sh", "-c", script + "; ls /proc/self/fd"}, Env: []string{"A=b"}}}
	}
	b.spec.Hooks = &specs.Hooks{
		CreateRuntime:   all("/bin/sh", seen(b.bundle+"/runtime")),
		CreateContainer: all("/bin/sh", seen(b.bundle+"/container")),
		StartContainer:  all("/bin/sh", seen(inside)),
	}
	id := b.id("rights")
	pid, out := b.create(id)
	b.must("start", id)
	require.Equal(t, 0, reap(t, pid))
	b.must("delete", id)
	own := contents(t, out)
	const streams = "0\n1\n2\n3\n" // 3 is ls's own
	require.Contains(t, own, "Uid:\t1000\t")
	require.Equal(t, own+streams, read(t, b.bundle+"/rootfs"+inside))

	runtime, container := read(t, b.bundle+"/runtime"), read(t, b.bundle+"/container")
	require.Contains(t, runtime, ":memory:"+ourGroup(t)+"\n")
	require.Contains(t, container, ":memory:/\n", "in the container's group, and in its cgroup namespace")
	for _, text := range []string{runtime, container} {
		require.Contains(t, text, "Uid:\t0\t")
		require.Contains(t, text, "NoNewPrivs:\t0\n")
		require.Contains(t, text, streams)
	}
}

// The environment is the one that config.json gives, also where it gives none: nothing of the runtime's.
func TestHookEnvironment(t *testing.T) {
	b := newBench(t, nil)
	b.env = []string{"TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "SECRET=x"}
	for _, env := range [][]string{nil, {"A=b", "C="}} {
		b.spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/cat", Args: []string{"cat", "/proc/self/environ", "/nosuch"}, Env: env}}}
		want := ""
		for _, e := range env {
			want += e + "\x00"
		}
		require.Contains(t, b.createFails(b.id("environment")), "exit status 1: "+want+"cat: /nosuch")
	}
}

func ourGroup(t *testing.T) string {
	for _, line := range strings.Split(read(t, "/proc/self/cgroup"), "\n") {
		if _, path, ok := strings.Cut(line, ":memory:"); ok {
			return path
		}
	}
	t.Fatal("no memory controller")
	return ""
}

// In a pid namespace that is joined, the runtime's hooks are still born in ours, and the others see the first process by its number there.
func TestHooksOfAPod(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	pod := b.id("pod")
	first, _ := b.create(pod)
	b.must("start", pod)
	b.spec.Linux.Namespaces[0].Path = fmt.Sprintf("/proc/%d/ns/pid", first)
	b.allHooks("", "")
	id := b.id("member")
	pid, _ := b.create(id)
	numbers := strings.Fields(strings.SplitN(strings.SplitN(read(t, fmt.Sprintf("/proc/%d/status", pid)), "NSpid:", 2)[1], "\n", 2)[0])
	for _, r := range b.records() {
		if strings.HasPrefix(r.name, "createContainer") {
			require.Equal(t, numbers[len(numbers)-1], fmt.Sprint(r.state.Pid))
			require.Equal(t, link(t, fmt.Sprintf("/proc/%d/ns/pid", first)), r.ns["pid"])
		} else {
			require.Equal(t, pid, r.state.Pid)
			require.Equal(t, link(t, "/proc/self/ns/pid"), r.ns["pid"], r.name)
		}
	}
	b.must("delete", id)
	reap(t, pid)
	b.records()

	// All by one process, which has joined that namespace.
	b.spec.Process.Args = []string{"true"}
	b.must("run", "--bundle", b.bundle, b.id("whole"))
	all := b.records()
	require.Equal(t, twice(hookKinds), names(all))
	for _, r := range all {
		ns := link(t, "/proc/self/ns/pid")
		if strings.HasSuffix(strings.Fields(r.name)[0], "Container") {
			ns = link(t, fmt.Sprintf("/proc/%d/ns/pid", first))
		}
		require.Equal(t, ns, r.ns["pid"], r.name)
	}
	b.must("kill", pod, "KILL")
	reap(t, first)
	b.must("delete", pod)
}

// The runtime is killed while a hook runs: the first process does not go on without it.
func TestRuntimeDiesInAHook(t *testing.T) {
	b := newBench(t, nil)
	here, on := filepath.Join(b.bundle, "here"), filepath.Join(b.bundle, "on")
	require.NoError(t, unix.Mkfifo(here, 0o600))
	require.NoError(t, unix.Mkfifo(on, 0o600))
	b.spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", fmt.Sprintf("cat >%s; read x <%s", here, on)}, Env: []string{"PATH=/bin:/usr/bin"}}}}
	id := b.id("dies")
	cmd := exec.Command(b.bin, "--root", b.root, "create", "--bundle", b.bundle, id)
	require.NoError(t, cmd.Start())
	var state specs.State
	require.NoError(t, json.Unmarshal([]byte(read(t, here)), &state)) // the end of file: the hook is past it
	require.Equal(t, specs.StateCreating, b.status(id).Status)
	require.NoError(t, cmd.Process.Kill())
	cmd.Wait()
	require.Equal(t, 1, reap(t, state.Pid), "its set-up was given up")
	require.NoError(t, os.WriteFile(on, []byte("x\n"), 0o600))
	_, err := unix.Wait4(-1, nil, 0, nil) // the hook, an orphan of ours
	require.NoError(t, err)
	b.must("delete", "--force", id)
}

// Each hook is a step of the trace, inside of the verb that it belongs to; one that fails carries the error.
func TestTraceOfHooks(t *testing.T) {
	b := newBench(t, nil)
	b.allHooks("poststop", "exit 3")
	id := b.id("trace")
	var pid int
	b.spansAre("runc.ns.create", twice(hookKinds[:3]), func() { pid, _ = b.create(id) })
	b.spansAre("runc.start", twice(hookKinds[3:5]), func() { b.must("start", id) })
	reap(t, pid)
	failed := b.spansAre("runc.delete", twice(hookKinds[5:]), func() { b.must("delete", id) })
	require.Contains(t, failed[0].GetStatus().GetMessage(), "exit status 3")
	require.Nil(t, failed[1].GetStatus())
}

// spansAre holds the hooks' spans of one verb against their names.
func (b *bench) spansAre(verb string, want []string, f func()) (hooks []*tracepb.Span) {
	var parent []byte
	var got []string
	for _, s := range b.spansOf(f) {
		switch s.Name {
		case verb:
			parent = s.SpanId
		case "runc.hook":
			hooks = append(hooks, s)
		}
	}
	for _, s := range hooks {
		require.Equal(b.t, parent, s.ParentSpanId)
		name, path, _ := strings.Cut(attr(s, stages.AttrInstance).GetStringValue(), ": ")
		require.Equal(b.t, "/bin/sh", path)
		got = append(got, name)
	}
	require.Equal(b.t, want, got)
	return hooks
}
