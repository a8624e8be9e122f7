package demo

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A bare is the control: no shim. A supervisor (this program again, as `hull-demo supervise`) runs the runtime itself, is the container's
// parent and reads its output.
type bare struct {
	dir        string
	supervisor *exec.Cmd
	cast       []process
}

// control is the show without a shim.
func control(ctx context.Context, s *screen) (err error) {
	b := &bare{}
	if b.dir, err = os.MkdirTemp("", "hull-demo-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.end()) }()
	acts := []act{
		{"a supervisor without a shim runs the container itself", "It called runc create and runc start, adopted the container and reads its output. As long as it lives, all is well.", b.begin},
		{"kill -9 the supervisor", "The container's parent is gone: the kernel gives the orphan to the next subreaper above, mostly pid 1. Its output is a pipe that nobody reads any more.", b.kill},
		{"the next write", "SIGPIPE. It is dead, and nobody who asks will ever learn its exit code: pid 1 has reaped it.", b.broken},
	}
	log := func() clock { return readLines(filepath.Join(b.dir, "out")) }
	if err := perform(ctx, s, acts, func() []process { return b.cast }, log); err != nil {
		return err
	}
	s.say("demo restart --without shim: the supervisor killed, the container fell to another parent and died at its next write, its exit status is lost")
	return nil
}

// begin makes a bundle and starts the supervisor on it.
func (b *bare) begin(ctx context.Context) (string, error) {
	if err := b.bundle(); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	b.supervisor = exec.Command(self, "supervise", b.dir)
	// Its own session: a key or a hang-up at our terminal is not its end.
	b.supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// A file, not a pipe: the container inherits it, and the end of a pipe would be waited for as long as that lives.
	said, err := os.Create(filepath.Join(b.dir, "err"))
	if err != nil {
		return "", err
	}
	defer said.Close()
	b.supervisor.Stderr = said
	if err := b.supervisor.Start(); err != nil {
		return "", err
	}
	b.cast = []process{find(b.supervisor.Process.Pid, "hull-demo supervise")}
	err = until(ctx, "the clock", func() bool { return len(readLines(filepath.Join(b.dir, "out")).lines) > 1 || !b.cast[0].alive() })
	if err == nil && !b.cast[0].alive() {
		text, _ := os.ReadFile(said.Name())
		err = fmt.Errorf("the supervisor: %s", bytes.TrimSpace(text))
	}
	if err != nil {
		return "", err
	}
	pid, err := os.ReadFile(filepath.Join(b.dir, "pid"))
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err != nil {
		return "", err
	}
	b.cast = append(b.cast, find(n, "clock (the container)"))
	if parent, _ := stat(n); parent != b.supervisor.Process.Pid {
		return "", fmt.Errorf("the container's parent is %d, not the supervisor", parent)
	}
	return "", nil
}

// kill ends the supervisor. The clock stands still meanwhile (SIGSTOP), so that a class sees the orphan before its next write.
func (b *bare) kill(ctx context.Context) (string, error) {
	container := b.cast[1]
	if err := syscall.Kill(container.pid, syscall.SIGSTOP); err != nil {
		return "", err
	}
	b.supervisor.Process.Kill()
	b.supervisor.Wait()
	parent, _ := stat(container.pid)
	if !container.alive() || parent == b.supervisor.Process.Pid {
		return "", fmt.Errorf("the container should be an orphan; its parent is %d", parent)
	}
	return fmt.Sprintf("the container's parent is now %s %d (the container is held with SIGSTOP for a moment, or its next write would come at once)", name(parent), parent), nil
}

// broken lets the clock go on.
func (b *bare) broken(ctx context.Context) (string, error) {
	container := b.cast[1]
	if err := syscall.Kill(container.pid, syscall.SIGCONT); err != nil {
		return "", err
	}
	if err := until(ctx, "the container's end", func() bool { return !container.alive() }); err != nil {
		return "", err
	}
	out, err := b.runc("state", "control").Output()
	if err != nil {
		return "", fmt.Errorf("hull-runc state: %w", err)
	}
	var state struct{ Status string }
	if err := json.Unmarshal(out, &state); err != nil {
		return "", err
	}
	return "the runtime says: " + state.Status + ". With which exit code? Nobody knows.", nil
}

// end removes all that was made.
func (b *bare) end() error {
	if b.supervisor != nil && b.supervisor.ProcessState == nil {
		b.supervisor.Process.Kill()
		b.supervisor.Wait()
	}
	b.runc("delete", "--force", "control").Run() // there is none, if its creation failed
	return os.RemoveAll(b.dir)
}

func (b *bare) runc(args ...string) *exec.Cmd {
	path, err := beside("hull-runc")
	if err != nil {
		path = "hull-runc"
	}
	return exec.Command(path, append([]string{"--root", filepath.Join(b.dir, "runc")}, args...)...)
}

// bundle unpacks the image that comes with hull, and writes the shortest config.json that makes a container.
func (b *bare) bundle() error {
	archive, err := beside("tiny.tar")
	if err != nil {
		return err
	}
	if err := unpack(archive, filepath.Join(b.dir, "rootfs")); err != nil {
		return err
	}
	namespace := func(kind string) map[string]string { return map[string]string{"type": kind} }
	config, err := json.Marshal(map[string]any{
		"ociVersion": "1.0.2",
		"root":       map[string]any{"path": "rootfs", "readonly": true},
		"process":    map[string]any{"cwd": "/", "args": []string{"/bin/clock", "0.5"}, "env": []string{"PATH=/bin"}, "user": map[string]any{"uid": 0, "gid": 0}},
		"mounts": []any{
			map[string]any{"destination": "/proc", "type": "proc", "source": "proc"},
			map[string]any{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=755"}},
		},
		"linux": map[string]any{
			"namespaces":  []any{namespace("pid"), namespace("mount"), namespace("ipc"), namespace("uts"), namespace("network")},
			"cgroupsPath": "/hull-demo-" + strconv.Itoa(os.Getpid()),
		},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, "config.json"), config, 0o600)
}

// unpack takes the one layer out of the archive that make build has packed. It is our own, but os.Root keeps its names inside all the same.
func unpack(archive, to string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer root.Close()
	for outer := tar.NewReader(f); ; {
		h, err := outer.Next()
		if err != nil {
			return fmt.Errorf("%s: no layer: %w", archive, err)
		}
		if strings.HasSuffix(h.Name, "layer.tar") {
			return unpackLayer(tar.NewReader(outer), root)
		}
	}
}

func unpackLayer(layer *tar.Reader, root *os.Root) error {
	for {
		h, err := layer.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.Mkdir(strings.TrimSuffix(h.Name, "/"), 0o755)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, h.Name)
		case tar.TypeReg:
			var f *os.File
			if f, err = root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, h.FileInfo().Mode().Perm()); err == nil {
				_, err = io.Copy(f, layer)
				err = errors.Join(err, f.Close())
			}
		}
		if err != nil {
			return err
		}
	}
}

// supervise is the program without a shim: runc create, runc start, then read the container's output until it ends.
func supervise(args []string, errout io.Writer) int {
	err := func() error {
		if len(args) != 1 {
			return errors.New("usage: hull-demo supervise DIR")
		}
		b := &bare{dir: args[0]}
		// prctl(2), PR_SET_CHILD_SUBREAPER: without it the container would fall to pid 1 as soon as runc has left.
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return err
		}
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		create := b.runc("create", "--bundle", b.dir, "--pid-file", filepath.Join(b.dir, "pid"), "control")
		create.Stdout, create.Stderr = w, os.Stderr
		if err := create.Run(); err != nil {
			return fmt.Errorf("hull-runc create: %w", err)
		}
		w.Close()
		if out, err := b.runc("start", "control").CombinedOutput(); err != nil {
			return fmt.Errorf("hull-runc start: %w: %s", err, out)
		}
		f, err := os.Create(filepath.Join(b.dir, "out"))
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return err
	}()
	if err != nil {
		fmt.Fprintln(errout, "hull-demo:", err)
		return 1
	}
	return 0
}

// readLines is readClock for plain text.
func readLines(file string) (c clock) {
	text, err := os.ReadFile(file)
	if err != nil {
		return c
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasSuffix(line, "\n") {
			c.add(line)
		}
	}
	return c
}
