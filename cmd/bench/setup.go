package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hull/stages/instance"

	"golang.org/x/sys/unix"
)

// image is the busybox image on both sides.
const image = "busybox:latest"

// A bench is a hull instance and a real docker beside each other, in a network namespace of their own.
type bench struct {
	rounds int
	root   string // .hull/bench, absolute
	bin    string // our binaries
	tools  string // the peers
	env    []string
	procs  []*exec.Cmd // the peers' daemons, in the order they were started

	group, hullGroup, dockerGroup string // memory cgroups: of everything but the containers, and of each engine's containers
}

func newBench(rounds int) (*bench, error) {
	top, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	b := &bench{
		rounds: rounds, root: top + "/.hull/bench", bin: top + "/bin", tools: top + "/.hull/tools",
		group: "/sys/fs/cgroup/memory/hull-bench", dockerGroup: "/sys/fs/cgroup/memory/hull-bench-docker",
	}
	if tools := os.Getenv("HULL_TOOLS"); tools != "" {
		b.tools = tools
	}
	inst, err := instance.At(b.root + "/hull")
	if err != nil {
		return nil, err
	}
	b.hullGroup = "/sys/fs/cgroup/memory" + inst.CgroupParent()
	for _, need := range []string{b.bin + "/hull", b.tools + "/usr/sbin/dockerd"} {
		if _, err := os.Stat(need); err != nil {
			return nil, fmt.Errorf("%w (make build; .ci/peers)", err)
		}
	}
	b.env = append(os.Environ(),
		"PATH="+b.tools+"/usr/bin:"+b.tools+"/usr/sbin:"+os.Getenv("PATH"),
		"LD_LIBRARY_PATH="+b.tools+"/usr/lib/x86_64-linux-gnu",
		"HULL_ROOT="+b.root+"/hull", "DOCKER_HOST=unix://"+b.root+"/docker.sock")
	if err := os.MkdirAll(b.root, 0o700); err != nil {
		return nil, err
	}
	// The containers of `runc create` become our children when it leaves.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, err
	}
	if err := b.joinGroup(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{b.pack, b.startPeers, b.startHull} {
		if err := step(); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

// startPeers starts containerd and dockerd with the flags that a machine without systemd needs.
func (b *bench) startPeers() error {
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = %q\n",
		b.root+"/containerd", b.root+"/containerd-run", b.root+"/containerd.sock")
	if err := os.WriteFile(b.root+"/containerd.toml", []byte(config), 0o600); err != nil {
		return err
	}
	if err := b.start("containerd", "-c", b.root+"/containerd.toml"); err != nil {
		return err
	}
	if err := b.until(b.command("ctr", "--address", b.root+"/containerd.sock", "version")); err != nil {
		return err
	}
	if err := b.start("dockerd", "-H", "unix://"+b.root+"/docker.sock", "--containerd", b.root+"/containerd.sock",
		"--data-root", b.root+"/docker", "--exec-root", b.root+"/docker-exec", "--pidfile", b.root+"/docker.pid",
		"--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", "/hull-bench-docker",
		"--iptables=false", "--bridge=none"); err != nil {
		return err
	}
	if err := b.until(b.docker("version")); err != nil {
		return err
	}
	return b.docker("load", "-q", "-i", b.archive())()
}

func (b *bench) startHull() error {
	if err := b.hull("up")(); err != nil {
		return err
	}
	return b.hull("load", "-i", b.archive())()
}

// archive is the docker-save tar of Debian's static busybox that both sides load.
func (b *bench) archive() string { return b.root + "/busybox.tar" }

// pack makes the archive, with the packer that makes hull/tiny.
func (b *bench) pack() error {
	return b.command("go", "run", "./cmd/tiny/image", "-program", b.tools+"/bin/busybox", "-name", image, "-o", b.archive())()
}

// start starts one of the peers' daemons.
func (b *bench) start(name string, args ...string) error {
	log, err := os.Create(b.root + "/" + name + ".log")
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(b.path(name), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = b.env, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	b.procs = append(b.procs, cmd)
	return nil
}

// path finds a peer's program in the unpacked packages, or one of ours in bin/.
func (b *bench) path(name string) string {
	if rest, ours := strings.CutPrefix(name, "../bin/"); ours {
		return b.bin + "/" + rest
	}
	for _, dir := range []string{"/usr/bin/", "/usr/sbin/", "/bin/"} {
		if _, err := os.Stat(b.tools + dir + name); err == nil {
			return b.tools + dir + name
		}
	}
	return name
}

// command is a program to be run to its end; its error carries what it printed on standard error.
func (b *bench) command(name string, args ...string) func() error {
	return func() error {
		// A file, not a pipe: the container that a runtime leaves behind holds it too, and the end of a pipe would be waited for.
		text, err := os.CreateTemp(b.root, "stderr")
		if err != nil {
			return err
		}
		defer text.Close()
		defer os.Remove(text.Name())
		cmd := exec.Command(b.path(name), args...)
		cmd.Env, cmd.Stderr = b.env, text
		if err := cmd.Run(); err != nil {
			said, _ := os.ReadFile(text.Name())
			return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, bytes.TrimSpace(said))
		}
		return nil
	}
}

func (b *bench) hull(args ...string) func() error   { return b.command("../bin/hull", args...) }
func (b *bench) docker(args ...string) func() error { return b.command("docker", args...) }

// until repeats a command until it succeeds, for as long as a daemon may need to come up.
func (b *bench) until(try func() error) (err error) {
	for range 200 {
		if err = try(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// close ends what newBench started, ours and theirs, by pid.
func (b *bench) close() {
	if err := b.hull("down")(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	for i := len(b.procs) - 1; i >= 0; i-- {
		b.procs[i].Process.Signal(syscall.SIGTERM)
		b.procs[i].Wait()
	}
	b.leaveGroup()
	if err := os.RemoveAll(b.root); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}
