package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"hull/stages/instance"

	"golang.org/x/sys/unix"
)

// image is the busybox image on all sides.
const image = "busybox:latest"

// A bench is a hull instance and the peers beside each other.
type bench struct {
	rounds int
	root   string // .hull/bench, absolute
	bin    string // our binaries
	env    []string
	serial int

	ociBundle string // of the tables of the runtimes alone, once it is made

	daemons   []*exec.Cmd // the peers', in the order they were started
	group     string      // of everything that is measured, below each v1 hierarchy
	hullGroup string      // of hull's containers, by the instance's name
}

func newBench(rounds int) (*bench, error) {
	top, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	b := &bench{rounds: rounds, root: top + "/.hull/bench", bin: top + "/bin", group: "hull-bench"}
	inst, err := instance.At(b.root + "/hull")
	if err != nil {
		return nil, err
	}
	b.hullGroup = filepath.Base(inst.CgroupParent())
	if _, err := os.Stat(b.bin + "/hull"); err != nil {
		return nil, fmt.Errorf("%w (make build)", err)
	}
	b.env = append(os.Environ(),
		"PATH="+b.bin+":"+b.root+"/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:"+os.Getenv("PATH"),
		"HULL_ROOT="+b.root+"/hull", "DOCKER_HOST=unix://"+b.root+"/docker.sock", "CONTAINERS_CONF="+b.root+"/containers.conf", "XDG_RUNTIME_DIR=")
	if err := os.Setenv("PATH", b.bin+":"+b.root+"/bin:"+os.Getenv("PATH")); err != nil { // where os/exec looks names up
		return nil, err
	}
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

func (b *bench) startHull() error {
	// The daemons are children of ours and so in our group. --cgroup-parent puts the containers there as well.
	if err := b.run("hull up"); err != nil {
		return err
	}
	return b.run("hull load -i " + b.archive())
}

// archive is the docker-save tar of Debian's static busybox that all sides load.
func (b *bench) archive() string { return b.root + "/busybox.tar" }

// pack makes the archive, with the packer that makes hull/tiny.
func (b *bench) pack() error {
	return b.run("go run ./cmd/tiny-image -program " + busybox() + " -name " + image + " -o " + b.archive())
}

// accounting are the hierarchies in which we count.
var accounting = []string{"cpuacct", "memory"}

// joinGroup puts this process, and so all that it starts, into a group of its own.
func (b *bench) joinGroup() error {
	for _, h := range accounting {
		dir := "/sys/fs/cgroup/" + h + "/" + b.group
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("%w (the bench counts with cgroup v1's cpuacct and memory)", err)
		}
		if err := os.WriteFile(dir+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) leaveGroup() {
	for _, h := range accounting {
		os.WriteFile("/sys/fs/cgroup/"+h+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0)
	}
	// docker, podman and runc leave parents in every hierarchy. Deepest first.
	for _, pattern := range []string{"/*/*", "/*", ""} {
		groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + b.group + pattern)
		for _, g := range groups {
			if st, err := os.Stat(g); err == nil && st.IsDir() {
				os.Remove(g)
			}
		}
	}
}

// close ends what newBench started, ours and theirs, by pid.
func (b *bench) close() {
	if err := b.run("hull down"); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	for i := len(b.daemons) - 1; i >= 0; i-- {
		b.daemons[i].Process.Signal(syscall.SIGTERM)
		b.daemons[i].Wait()
	}
	b.leaveGroup()
	if err := os.RemoveAll(b.root); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}
