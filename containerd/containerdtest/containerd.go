// Package containerdtest starts the real containerd (Debian's, unpacked by .ci/peers) in a private root, so that a shim or a runtime of
// ours can be driven by the real `ctr`. It is used by tests of the tiers below containerd.
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

// Image is the reference under which Start imports busybox.
const Image = "docker.io/library/busybox:latest"

// A Containerd is a running real containerd.
type Containerd struct {
	Root   string // its state, data and socket
	Socket string
	env    []string
	cmd    *exec.Cmd
	t      testing.TB
}

// Start starts containerd and imports busybox into it. dirs come first in its PATH: a shim of ours is found there by its name. At the
// test's end every task is killed, containerd is stopped and the root removed.
func Start(t testing.TB, dirs ...string) *Containerd {
	t.Helper()
	probetest.Need(t, "root", "peers")
	root, err := os.MkdirTemp("", "ctd")
	if err != nil {
		t.Fatal(err)
	}
	c := &Containerd{Root: root, Socket: filepath.Join(root, "c.sock"), env: probetest.ToolEnv(), t: t}
	for i, e := range c.env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok && len(dirs) > 0 {
			c.env[i] = "PATH=" + strings.Join(dirs, ":") + ":" + path
		}
	}
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = %q\n",
		root+"/lib", root+"/run", c.Socket)
	if err := os.WriteFile(root+"/config.toml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	c.Restart()
	tar := imagetest.BusyboxSave(t, Image)
	if out, err := c.Ctr("images", "import", tar); err != nil {
		t.Fatalf("ctr images import: %v\n%s", err, out)
	}
	return c
}

// Kill kills containerd with SIGKILL: what it left unsaid stays unsaid.
func (c *Containerd) Kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
	c.cmd = nil
}

// Restart starts containerd (again) on the same root and returns when it answers.
func (c *Containerd) Restart() {
	c.t.Helper()
	log, err := os.OpenFile(c.Root+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	c.cmd = exec.Command(filepath.Join(probetest.Tools(), "usr/bin/containerd"), "-c", c.Root+"/config.toml")
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = c.env, log, log
	if err := probetest.StartTied(c.cmd); err != nil {
		c.t.Fatal(err)
	}
	for i := 0; ; i++ {
		if _, err := c.Ctr("version"); err == nil {
			return
		}
		if i == 200 {
			c.t.Fatalf("containerd does not answer:\n%s", c.Log())
		}
		time.Sleep(50 * time.Millisecond) // polling for a foreign program's readiness
	}
}

// Command is `ctr ARGS` against this containerd, not yet started.
func (c *Containerd) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(probetest.Tools(), "usr/bin/ctr"), append([]string{"--address", c.Socket}, args...)...)
	cmd.Env = c.env
	return cmd
}

// Ctr runs `ctr ARGS` and returns its standard output; an error carries the standard error.
func (c *Containerd) Ctr(args ...string) (string, error) {
	cmd := c.Command(args...)
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer time.AfterFunc(time.Minute, func() { cmd.Process.Kill() }).Stop() // a ctr that hangs is a failure, with a log to read
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(text.String()))
	}
	return out.String(), nil
}

// Log is what containerd has logged so far.
func (c *Containerd) Log() string {
	text, _ := os.ReadFile(c.Root + "/log")
	return string(text)
}

func (c *Containerd) stop() {
	if c.t.Failed() {
		c.t.Logf("containerd's log:\n%s", c.Log())
	}
	if tasks, err := c.Ctr("tasks", "ls", "-q"); err == nil {
		for _, id := range strings.Fields(tasks) {
			c.Ctr("tasks", "rm", "-f", id)
		}
	}
	if c.cmd != nil {
		c.cmd.Process.Signal(syscall.SIGTERM)
		c.cmd.Wait()
	}
	// A shim outlives its containerd by design; one that a failed test left behind is ended here, known by our socket in its argv.
	dirs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range dirs {
		line, _ := os.ReadFile(f)
		if bytes.Contains(line, []byte(c.Socket)) {
			var pid int
			fmt.Sscanf(f, "/proc/%d/", &pid)
			syscall.Kill(pid, syscall.SIGKILL)
			c.t.Errorf("a shim was left behind: pid %d: %s", pid, bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for _, line := range strings.Split(string(mounts), "\n") {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], c.Root+"/") {
			c.t.Errorf("a mount was left behind: %s", f[4])
			syscall.Unmount(f[4], syscall.MNT_DETACH)
		}
	}
	os.RemoveAll(c.Root)
}
