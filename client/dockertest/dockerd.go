// Package dockertest starts the real dockerd (Debian's docker.io, unpacked by .ci/peers) on a real containerd, in a private root and a
// network namespace of its own, so that our client can be held against the daemon it claims to speak to. Tests of client/ use it.
package dockertest

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

	"hull/containerd/containerdtest"
	"hull/stages/probetest"
)

// A Dockerd is a running real dockerd.
type Dockerd struct {
	Root       string
	Socket     string
	Containerd *containerdtest.Containerd // the one behind it
	Cgroup     string                     // the parent of its containers' cgroups, below each hierarchy's root
	env        []string
	t          testing.TB
}

// Start starts dockerd, with flags of its own after the usual ones, and waits until it answers. At the test's end its containers are removed,
// it is stopped, and nothing is left.
func Start(t testing.TB, flags ...string) *Dockerd {
	t.Helper()
	ctd := containerdtest.Start(t) // stopped after dockerd: cleanups run in reverse
	root, err := os.MkdirTemp("", "dkr")
	if err != nil {
		t.Fatal(err)
	}
	d := &Dockerd{Root: root, Socket: root + "/docker.sock", Containerd: ctd, Cgroup: filepath.Base(root), env: probetest.ToolEnv(), t: t}
	log, err := os.Create(root + "/log")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(probetest.Tools(), "usr/sbin/dockerd"), append([]string{
		"-H", "unix://" + d.Socket, "--containerd", ctd.Socket,
		"--data-root", root + "/data", "--exec-root", root + "/exec", "--pidfile", root + "/pid", "--config-file", root + "/none.json",
		"--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", "/" + d.Cgroup,
		"--bridge", "none", "--iptables=false",
	}, flags...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, log, log
	// A network namespace of its own: whatever dockerd does to interfaces and rules, the machine's stay as they are.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := os.WriteFile(root+"/none.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := probetest.StartTied(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(cmd) })
	for i := 0; ; i++ {
		if _, err := d.Docker("version"); err == nil {
			return d
		}
		if i == 300 {
			t.Fatalf("dockerd does not answer:\n%s", d.Log())
		}
		time.Sleep(50 * time.Millisecond) // polling for a foreign program's readiness
	}
}

// Command is `docker ARGS`, Debian's client, against this dockerd, not yet started.
func (d *Dockerd) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(probetest.Tools(), "usr/bin/docker"), append([]string{"-H", "unix://" + d.Socket}, args...)...)
	cmd.Env = append(d.env, "DOCKER_CONFIG="+d.Root)
	return cmd
}

// Docker runs `docker ARGS` and returns its standard output.
func (d *Dockerd) Docker(args ...string) (string, error) {
	cmd := d.Command(args...)
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(text.String()))
	}
	return out.String(), nil
}

// Log is what dockerd has logged so far.
func (d *Dockerd) Log() string {
	text, _ := os.ReadFile(d.Root + "/log")
	return string(text)
}

func (d *Dockerd) stop(cmd *exec.Cmd) {
	if d.t.Failed() {
		d.t.Logf("dockerd's log:\n%s", d.Log())
	}
	if ids, err := d.Docker("ps", "-aq"); err == nil {
		for _, id := range strings.Fields(ids) {
			d.Docker("rm", "-f", id)
		}
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	// dockerd itself leaves its namespace handles and its data directory's mount behind; what is unmounted here is below our own root.
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for _, line := range strings.Split(string(mounts), "\n") {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], d.Root+"/") {
			syscall.Unmount(f[4], syscall.MNT_DETACH)
		}
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/", "/sys/fs/cgroup/"} {
		dirs, _ := filepath.Glob(pattern + d.Cgroup)
		for _, dir := range dirs {
			os.Remove(dir)
		}
	}
	os.RemoveAll(d.Root)
}
