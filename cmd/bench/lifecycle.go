package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A lifecycle is one OCI runtime with a bundle, for the verbs of runtime.md one by one.
type lifecycle struct {
	b                     *bench
	runtime, root, bundle string
}

// lifecycles are the runtimes on one bundle.
func (b *bench) lifecycles() (list []lifecycle, err error) {
	if b.ociBundle == "" {
		if b.ociBundle, err = b.bundle(); err != nil {
			return nil, err
		}
	}
	for _, runtime := range []string{"hull-runc", "runc", "crun"} {
		list = append(list, lifecycle{b, runtime, b.root + "/runtime-" + runtime, b.ociBundle})
	}
	return list, nil
}

func (l lifecycle) verb(line string, i int) error {
	return l.b.exec(words(l.runtime+" --root "+l.root+" "+line, i), io.Discard)
}

func (l lifecycle) run(i int) error { return l.verb("run --bundle "+l.bundle+" c{i}", i) }
func (l lifecycle) create(i int) error {
	return l.verb("create --bundle "+l.bundle+" --pid-file "+l.pidFile()+" c{i}", i)
}
func (l lifecycle) start(i int) error  { return l.verb("start c{i}", i) }
func (l lifecycle) delete(i int) error { return l.verb("delete c{i}", i) }

func (l lifecycle) pidFile() string { return l.b.root + "/pid" }

// wait waits for the container's end: its first process became our child when the runtime left.
func (l lifecycle) wait(int) error {
	text, err := os.ReadFile(l.pidFile())
	if err != nil {
		return err
	}
	var pid int
	fmt.Sscan(string(text), &pid)
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return fmt.Errorf("wait4 %d: %w", pid, err)
	}
	if status.ExitStatus() != 0 {
		return fmt.Errorf("%s: the container ended with %d", l.runtime, status.ExitStatus())
	}
	return nil
}

// all does the steps one after the other.
func all(steps ...func(i int) error) func(i int) error {
	return func(i int) error {
		for _, step := range steps {
			if err := step(i); err != nil {
				return err
			}
		}
		return nil
	}
}

// perRuntime makes a table's commands: one for each runtime.
func perRuntime(make func(lifecycle) command) func(*bench) ([]command, error) {
	return func(b *bench) (list []command, err error) {
		runtimes, err := b.lifecycles()
		for _, l := range runtimes {
			c := make(l)
			c.name = l.runtime
			list = append(list, c)
		}
		return list, err
	}
}

// bundle makes an OCI bundle out of one that hulld has made: docker's own kind of spec (namespaces, mounts, capabilities, seccomp, masked
// paths), on a plain busybox directory, for a program that ends at once.
func (b *bench) bundle() (string, error) {
	out, err := b.output("hull run -d --network none " + image + " sleep 600")
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(out)
	defer b.run("hull rm -f " + id)
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
	if err := b.unpackBusybox(dir + "/rootfs"); err != nil {
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
	spec["linux"].(map[string]any)["cgroupsPath"] = "/" + b.group + "/runtime"
	if text, err = json.Marshal(spec); err != nil {
		return "", err
	}
	return dir, os.WriteFile(dir+"/config.json", text, 0o600)
}
