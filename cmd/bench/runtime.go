package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// bundle makes an OCI bundle out of one that hulld has made: docker's own kind of spec (namespaces, mounts, capabilities, seccomp, masked
// paths), on a plain busybox directory, for a program that ends at once.
func (b *bench) bundle() (string, error) {
	out, err := b.output("../bin/hull", "run", "-d", "--network", "none", image, "sleep", "600")
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(out)
	defer b.hull("rm", "-f", id)()
	text, err := os.ReadFile(b.root + "/hull/run/tasks/hull/" + id + "/config.json")
	if err != nil {
		return "", err
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		return "", err
	}
	dir := b.root + "/bundle"
	if err := os.MkdirAll(dir+"/rootfs", 0o755); err != nil {
		return "", err
	}
	if err := unpackBusybox(b.tools+"/bin/busybox", dir+"/rootfs"); err != nil {
		return "", err
	}
	spec["process"].(map[string]any)["args"] = []string{"echo", "hi"}
	spec["root"] = map[string]any{"path": "rootfs", "readonly": true}
	kept := []any{}
	for _, m := range spec["mounts"].([]any) {
		if m.(map[string]any)["type"] != "bind" { // the files of the container that is gone
			kept = append(kept, m)
		}
	}
	spec["mounts"] = kept
	spec["linux"].(map[string]any)["cgroupsPath"] = "/hull-bench-runtime/c"
	if text, err = json.Marshal(spec); err != nil {
		return "", err
	}
	return dir, os.WriteFile(dir+"/config.json", text, 0o600)
}

// lifecycle is create, start, wait and delete of one container of the bundle by the runtime.
func (b *bench) lifecycle(runtime, bundle string) func() error {
	root, pidFile := b.root+"/runtime-root", b.root+"/pid"
	return func() error {
		if err := b.command(runtime, "--root", root, "create", "--bundle", bundle, "--pid-file", pidFile, "c")(); err != nil {
			return err
		}
		if err := b.command(runtime, "--root", root, "start", "c")(); err != nil {
			return err
		}
		text, err := os.ReadFile(pidFile)
		if err != nil {
			return err
		}
		var pid int
		fmt.Sscan(string(text), &pid)
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, 0, nil); err != nil { // it became our child when the runtime left
			return fmt.Errorf("wait4 %d: %w", pid, err)
		}
		if status.ExitStatus() != 0 {
			return fmt.Errorf("%s: the container ended with %d", runtime, status.ExitStatus())
		}
		return b.command(runtime, "--root", root, "delete", "c")()
	}
}

// output runs a program and returns what it printed.
func (b *bench) output(name string, args ...string) (string, error) {
	cmd := exec.Command(b.path(name), args...)
	cmd.Env = b.env
	out, err := cmd.Output() // its standard error, the trace's tree for one, is in the error
	return string(out), err
}

// execsOfOneRun is the base name of each program executed for one traced run, in order, as the kernel saw it.
func (b *bench) execsOfOneRun() (names []string, err error) {
	file := b.root + "/trace.json"
	if _, err := b.output("../bin/hull", "run", "--rm", "--trace", "--network", "none", image, "echo", "hi"); err != nil {
		return nil, err
	}
	text, err := b.output("../bin/hull", "trace", "export", "last", "--format", "json")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file)
	var trace struct {
		Events []struct {
			Kind string
			Args map[string]string
		}
	}
	if err := json.Unmarshal([]byte(text), &trace); err != nil {
		return nil, err
	}
	// The client was there before its trace: its own exec is the first, and not among the events.
	names = []string{"hull"}
	for _, e := range trace.Events {
		if e.Kind == "exec" {
			names = append(names, e.Args["exe"][strings.LastIndex(e.Args["exe"], "/")+1:])
		}
	}
	return names, nil
}
