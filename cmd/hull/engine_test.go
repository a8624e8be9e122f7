// These tests run the whole engine: all seven binaries, one instance in a private root, looked at from outside.
package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hull/containerd/imagetest"
	"hull/daemon/network/networktest"
	"hull/stages/instance"
	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

var binaries = []string{"hull", "hulld", "hull-containerd", "hull-bundle", "hull-shim", "hull-runc", "hull-trace", "hull-init"}

// bin holds the binaries, built once for all tests of the package.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if bin = os.Getenv(probetest.EnvBin); bin != "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "hullbin")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o755); err != nil { // a test runs the client as another user
			panic(err)
		}
		args := []string{"build", "-trimpath", "-o", dir + "/"}
		for _, b := range binaries {
			args = append(args, "hull/cmd/"+b)
		}
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		bin = dir
		return m.Run()
	}())
}

// An engine is one running instance.
type engine struct {
	t    *testing.T
	bin  string
	inst instance.Instance
	net  *networktest.Namespace // hulld's: the machine's own stays as it is
}

// up starts an instance in a private root and loads busybox; at the test's end it takes it down and asserts that nothing is left.
func up(t *testing.T, flags ...string) *engine {
	t.Helper()
	return upFrom(t, bin, flags...)
}

func upFrom(t *testing.T, bin string, flags ...string) *engine {
	t.Helper()
	return upIn(t, bin, networktest.New(t), flags...)
}

// upIn starts the instance in a network that is there already.
func upIn(t *testing.T, bin string, net *networktest.Namespace, flags ...string) *engine {
	t.Helper()
	e := private(t, bin, net)
	e.ok(append([]string{"up"}, flags...)...)
	e.ok("load", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
	return e
}

// private is an instance in a private root, not up yet. At the test's end it is taken down, and what it left is looked for.
func private(t *testing.T, bin string, net *networktest.Namespace) *engine {
	t.Helper()
	probetest.Need(t, "root", "busybox")
	root, err := os.MkdirTemp("", "hull")
	require.NoError(t, err)
	inst, err := instance.At(root)
	require.NoError(t, err)
	e := &engine{t: t, bin: bin, inst: inst, net: net}
	t.Cleanup(e.down)
	return e
}

// cmd is `hull ARGS` against the instance, not yet started.
func (e *engine) cmd(args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(e.bin, "hull"), args...)
	c.Env = append(os.Environ(), instance.EnvRoot+"="+e.inst.Root)
	return c
}

// run runs `hull ARGS` to its end.
func (e *engine) run(args ...string) (stdout, stderr string, code int) {
	e.t.Helper()
	c := e.cmd(args...)
	var out, text bytes.Buffer
	c.Stdout, c.Stderr = &out, &text
	err := e.net.Run(c)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(e.t, err)
	}
	return out.String(), text.String(), c.ProcessState.ExitCode()
}

// ok is run for a command that must succeed.
func (e *engine) ok(args ...string) string {
	e.t.Helper()
	out, text, code := e.run(args...)
	require.Zero(e.t, code, "hull %s: exit %d: %s%s", strings.Join(args, " "), code, text, e.logs())
	return out
}

// trace is the newest trace.
func (e *engine) trace() model.Trace {
	e.t.Helper()
	var tr model.Trace
	require.NoError(e.t, json.Unmarshal([]byte(e.ok("trace", "export", "last", "--format", "json")), &tr))
	return tr
}

// pid is the process that holds the binary's pid file.
func (e *engine) pid(binary string) (pid int) {
	e.t.Helper()
	text, err := os.ReadFile(e.inst.PIDFile(binary))
	require.NoError(e.t, err)
	_, err = fmt.Sscan(string(text), &pid)
	require.NoError(e.t, err)
	return pid
}

// kill ends one of the long-lived binaries the hard way, and returns when it is gone.
func (e *engine) kill(binary string) {
	e.t.Helper()
	pid := e.pid(binary)
	require.NoError(e.t, syscall.Kill(pid, syscall.SIGKILL))
	e.until(binary+" is gone", func() bool { return syscall.Kill(pid, 0) != nil || zombie(pid) })
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// until waits for a state; the bound only ends a test that would never end.
func (e *engine) until(what string, reached func() bool) {
	e.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !reached(); {
		if time.Now().After(deadline) {
			e.t.Fatalf("never: %s%s", what, e.logs())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// logs is the daemons' own words, for a failed test.
func (e *engine) logs() (all string) {
	for _, b := range []string{"hulld", "hull-containerd", "hull-trace"} {
		if text, err := os.ReadFile(e.inst.LogFile(b)); err == nil {
			all += "\n--- " + b + "\n" + string(text)
		}
	}
	return all
}

// down takes the instance down and looks for what it left: mounts, cgroups, processes, sockets.
func (e *engine) down() {
	if e.t.Failed() {
		e.t.Log(e.logs())
	}
	if _, text, code := e.run("down"); code != 0 {
		e.t.Errorf("hull down: %s", text)
	}
	e.nothingLeft("")
	os.RemoveAll(e.inst.Root)
}

// nothingLeft asserts that no trace of the container (or, for "", of any) is left in the kernel.
func (e *engine) nothingLeft(id string) {
	e.t.Helper()
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for _, line := range strings.Split(string(mounts), "\n") {
		if strings.Contains(line, " "+e.inst.Root+"/") && strings.Contains(line, id) {
			e.t.Errorf("left behind: mount %s", line)
		}
	}
	for _, g := range e.cgroups() {
		if strings.HasSuffix(g, "/"+id) || id == "" {
			e.t.Errorf("left behind: cgroup %s", g)
		}
	}
	for _, dir := range e.dirs() {
		if strings.HasSuffix(dir, "/"+id) || id == "" {
			e.t.Errorf("left behind: %s", dir)
		}
	}
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range procs {
		line, _ := os.ReadFile(p)
		if bytes.Contains(line, []byte(e.inst.Root)) && bytes.Contains(line, []byte(id)) && !strings.Contains(p, fmt.Sprint("/", os.Getpid(), "/")) {
			e.t.Errorf("left behind: process %s: %s", p, bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
}

// cgroups lists the instance's cgroups, in all hierarchies. Its own group is there as long as it is up.
func (e *engine) cgroups() (dirs []string) {
	for _, pattern := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		for _, below := range []string{"", "/*"} {
			found, _ := filepath.Glob(pattern + e.inst.CgroupParent() + below)
			for _, g := range found {
				if info, err := os.Lstat(g); err == nil && info.IsDir() {
					dirs = append(dirs, g)
				}
			}
		}
	}
	return dirs
}

// dirs lists everything that belongs to one container: bundles, runtime states, streams, shim sockets, records and writable layers. What the
// runtime keeps for the next container (cache:…) belongs to none.
func (e *engine) dirs() (found []string) {
	for _, pattern := range []string{
		e.inst.Tasks() + "/*/*", e.inst.RuncRoot() + "/*/*", e.inst.Streams() + "/*", e.inst.ShimSockets() + "/*",
		e.inst.RunContainers() + "/*", e.inst.LibContainers() + "/*",
	} {
		dirs, _ := filepath.Glob(pattern)
		found = append(found, slices.DeleteFunc(dirs, func(dir string) bool { return strings.HasPrefix(filepath.Base(dir), "cache:") })...)
	}
	return found
}

// snapshots lists the snapshots' directories: of images' layers and of containers.
func (e *engine) snapshots() []string {
	found, err := filepath.Glob(e.inst.ContainerdLib() + "/snapshots/*")
	require.NoError(e.t, err)
	return found
}
