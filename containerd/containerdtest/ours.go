package containerdtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hull/containerd/imagetest"
	"hull/stages/probetest"
)

// Runc is the runtime name of the real containerd-shim-runc-v2.
const Runc = "io.containerd.runc.v2"

// Hull is the runtime name of hull-shim, with hull-runc behind it.
const Hull = "io.containerd.hull.v2"

// Runtimes are the runtimes that this tree can run under: the real one, and hull's if its two binaries are there.
func Runtimes() []string {
	for _, name := range []string{"hull-shim", "hull-runc"} {
		if _, err := os.Stat(filepath.Join(probetest.Root(), "cmd", name)); err != nil {
			return []string{Runc}
		}
	}
	return []string{Runc, Hull}
}

// An Ours is a running hull-containerd. It is a [Containerd]: everything that is asked of the real one can be asked of it.
type Ours struct {
	*Containerd
	Bin     string // the directory that holds the binaries
	Runtime string // what a test's containers run under: Runc at first, Hull where hull-shim is there
	log     *os.File
	args    []string
}

// StartOurs builds hull-containerd and hull-bundle (and, where they are there, hull-shim and hull-runc), starts hull-containerd in a
// private root and imports busybox into it. dirs come first in its PATH. args are further flags. At the test's end every task is killed,
// hull-containerd is stopped, what is left is looked for, and the root removed.
func StartOurs(t testing.TB, dirs []string, args ...string) *Ours {
	t.Helper()
	probetest.Need(t, "root", "peers")
	root, err := os.MkdirTemp("", "hctd")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"hull-containerd", "hull-bundle", "hull-shim", "hull-runc"} {
		if _, err := os.Stat(filepath.Join(probetest.Root(), "cmd", name)); err == nil {
			if err := os.Rename(probetest.Build(t, name), filepath.Join(bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	o := &Ours{Containerd: &Containerd{Root: root, Socket: root + "/run/containerd.sock", env: probetest.ToolEnv(), t: t}, Bin: bin, Runtime: Runc, args: args}
	for i, e := range o.env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok && len(dirs) > 0 {
			o.env[i] = "PATH=" + strings.Join(dirs, ":") + ":" + path
		}
	}
	// A namespace of the test's own: ctr makes the cgroup path from it, and so what is left there is ours.
	o.env = append(o.env, "CONTAINERD_NAMESPACE="+o.Namespace())
	if o.log, err = os.Create(root + "/log"); err != nil {
		t.Fatal(err)
	}
	o.Start()
	t.Cleanup(o.end)
	tar := imagetest.BusyboxSave(t, Image)
	if out, err := o.Ctr("images", "import", tar); err != nil {
		t.Fatalf("ctr images import: %v\n%s", err, out)
	}
	return o
}

// With is the same hull-containerd for a subtest: a failure of Output and Fail is that test's.
func (o *Ours) With(t testing.TB) *Ours {
	c, w := *o.Containerd, *o
	c.t, w.Containerd = t, &c
	return &w
}

// Namespace is the containerd namespace that Ctr works in.
func (o *Ours) Namespace() string { return filepath.Base(o.Root) }

// Start starts hull-containerd, again after Kill or Stop, and waits until it answers.
func (o *Ours) Start() {
	o.t.Helper()
	cmd := exec.Command(filepath.Join(o.Bin, "hull-containerd"), append([]string{"--root", o.Root}, o.args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = o.env, o.log, o.log
	if err := probetest.StartTied(cmd); err != nil {
		o.t.Fatal(err)
	}
	o.cmd = cmd
	for i := 0; ; i++ {
		if _, err := o.Ctr("version"); err == nil {
			return
		}
		if i == 200 {
			o.t.Fatalf("hull-containerd does not answer:\n%s", o.Log())
		}
		time.Sleep(20 * time.Millisecond) // polling for the socket
	}
}

// Kill ends hull-containerd with SIGKILL.
func (o *Ours) Kill() { o.signal(syscall.SIGKILL) }

// Stop ends hull-containerd with SIGTERM.
func (o *Ours) Stop() { o.signal(syscall.SIGTERM) }

func (o *Ours) signal(s syscall.Signal) {
	o.cmd.Process.Signal(s)
	o.cmd.Wait()
}

// PID is hull-containerd's.
func (o *Ours) PID() int { return o.cmd.Process.Pid }

// end cleans up and looks for what is left: bundles, shims, mounts, cgroups.
func (o *Ours) end() {
	if o.cmd.ProcessState != nil { // the test failed between Kill and Start
		o.Start()
	}
	if ids, err := o.Ctr("tasks", "ls", "-q"); err == nil {
		for _, id := range strings.Fields(ids) {
			o.Ctr("tasks", "rm", "-f", id)
		}
	}
	if left, _ := filepath.Glob(o.Root + "/run/tasks/*/*"); len(left) > 0 {
		o.t.Errorf("bundles were left behind: %v", left)
	}
	for _, sub := range []string{"", "/*"} {
		dirs, _ := filepath.Glob("/sys/fs/cgroup/*/" + o.Namespace() + sub)
		inner, _ := filepath.Glob("/sys/fs/cgroup/" + o.Namespace() + sub)
		for _, dir := range append(dirs, inner...) {
			if info, err := os.Lstat(dir); sub != "" && err == nil && info.IsDir() {
				o.t.Errorf("a cgroup was left behind: %s", dir)
			}
		}
	}
	dirs, _ := filepath.Glob("/sys/fs/cgroup/*/" + o.Namespace())
	for _, dir := range append(dirs, "/sys/fs/cgroup/"+o.Namespace()) {
		syscall.Rmdir(dir) // the namespace's own group: ctr's path, made by the runtime, removed by nobody
	}
	o.stop()
}

// Output runs ctr and fails the test if it does not succeed.
func (o *Ours) Output(args ...string) string {
	o.t.Helper()
	out, err := o.Ctr(args...)
	if err != nil {
		o.t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// Fail runs ctr, fails the test if it succeeds, and returns its exit code and what it said.
func (o *Ours) Fail(args ...string) (code int, said string) {
	o.t.Helper()
	cmd := o.Command(args...)
	defer time.AfterFunc(time.Minute, func() { cmd.Process.Kill() }).Stop() // a ctr that hangs is a failure, with a log to read
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if err == nil {
		o.t.Fatalf("ctr %s succeeded:\n%s", strings.Join(args, " "), &text)
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSpace(fmt.Sprint(&text))
}

// Again starts a second hull-containerd on the same root, waits for its end, and returns its exit code and what it said.
func (o *Ours) Again() (code int, said string) {
	cmd := exec.Command(filepath.Join(o.Bin, "hull-containerd"), "--root", o.Root)
	cmd.Env = o.env
	text, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(text)
}
