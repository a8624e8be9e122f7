package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	suite   = "cmd/conformance/suite" // the module that names the suite's version and its programs
	helper  = "runtimetest"           // the program that the suite puts into containers
	timeout = 120 * time.Second       // for one program; the slowest takes 15 s
)

// A bench is a directory in which the programs run, and the runtime that they drive.
type bench struct {
	dir     string
	runtime string // a script that calls it with a directory of states of its own
	state   string
}

// programs lists the suite's programs, in order.
func programs() (names []string, err error) {
	list := exec.Command("go", "list", "tool")
	list.Dir = suite
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list tool: %w", err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		if name := path.Base(pkg); name != helper {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// newBench builds the chosen programs, the helper and hull-runc, and makes the root file system that the suite unpacks for each container.
func newBench(names []string, runtime string) (b *bench, err error) {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return nil, err
	}
	// To be walked through by the users of user namespaces, whose containers are below.
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, err
	}
	b = &bench{dir: dir, state: dir + "/state", runtime: dir + "/runtime"}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	const module = "github.com/opencontainers/runtime-tools/"
	pkgs := []string{module + "cmd/" + helper}
	for _, name := range names {
		pkgs = append(pkgs, module+"validation/"+name)
	}
	if err := build(suite, b.programs()+"/", pkgs...); err != nil {
		return nil, err
	}
	if err := os.Rename(b.programs()+"/"+helper, b.dir+"/"+helper); err != nil { // they look for it where they run
		return nil, err
	}
	if runtime == "" {
		runtime = b.dir + "/hull-runc"
		if err := build(".", runtime, "./cmd/hull-runc"); err != nil {
			return nil, err
		}
	}
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' --root '%s' \"$@\"\n", runtime, b.state)
	if err := os.WriteFile(b.runtime, []byte(script), 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(b.dir+"/tmp", 0o755); err != nil {
		return nil, err
	}
	return b, writeRootfs(b.dir)
}

func build(dir, out string, pkgs ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", out}, pkgs...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// run runs one program, and then removes what it leaves: containers, bundles and cgroups.
func (b *bench) run(name string) (out, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.programs()+"/"+name)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "RUNTIME="+b.runtime, "TMPDIR="+b.dir+"/tmp")
	// A group of its own: what hangs is ended with what it has started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// Files, not pipes: a container that is left inherits them, and a pipe would not end.
	for _, stream := range []struct {
		to   *string
		into func(*os.File)
	}{{&out, func(f *os.File) { cmd.Stdout = f }}, {&stderr, func(f *os.File) { cmd.Stderr = f }}} {
		f, err := os.CreateTemp(b.dir, "out")
		if err != nil {
			return "", "", err
		}
		stream.into(f)
		defer func() {
			text, _ := os.ReadFile(f.Name())
			*stream.to = string(text)
			f.Close()
			os.Remove(f.Name())
		}()
	}
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it hung for %s", timeout)
	}
	return out, stderr, errors.Join(err, b.clean())
}

// clean removes what the program has left. What cannot be removed is an error.
func (b *bench) clean() error {
	ids, err := exec.Command(b.runtime, "list", "-q").Output()
	if err != nil {
		return fmt.Errorf("list -q: %w", err)
	}
	for _, id := range strings.Fields(string(ids)) {
		if text, err := exec.Command(b.runtime, "delete", "--force", id).CombinedOutput(); err != nil {
			return fmt.Errorf("delete --force %s: %s", id, bytes.TrimSpace(text))
		}
	}
	if err := b.remove("/tmp"); err != nil {
		return err
	}
	if err := os.Mkdir(b.dir+"/tmp", 0o755); err != nil {
		return err
	}
	return removeGroups()
}

// removeGroups removes the cgroups above the containers', which the suite's relative paths make and nobody removes.
func removeGroups() error {
	var groups []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // somebody else's, gone meanwhile
		}
		if err == nil && d.IsDir() && (d.Name() == "testdir" || d.Name() == "cgrouptest") {
			groups = append(groups, path)
		}
		return err
	})
	slices.Reverse(groups) // children first
	for _, g := range groups {
		for tries := 0; err == nil; tries++ {
			e := os.Remove(g)
			if e == nil || errors.Is(e, fs.ErrNotExist) {
				break
			}
			if tries == 100 {
				err = e
			}
			time.Sleep(20 * time.Millisecond) // a process that has just ended still counts: rmdir(2), EBUSY
		}
	}
	return err
}

// programs is apart from the rest: one of them is called state.
func (b *bench) programs() string { return b.dir + "/programs" }

// remove removes a part of the directory, and never through a mount: a runtime that makes a container's mounts in the host's mount namespace
// leaves the host's own /proc and /dev/mqueue below.
func (b *bench) remove(part string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if bytes.Contains(mounts, []byte(" "+b.dir+"/")) {
		return fmt.Errorf("a mount is left below %s: unmount it, then remove the directory", b.dir)
	}
	return os.RemoveAll(b.dir + part)
}

func (b *bench) close() {
	if err := b.remove(""); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
}
