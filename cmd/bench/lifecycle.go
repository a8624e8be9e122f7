package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// lifecycle is the word by which a table names what no single program does: create, start, wait and delete by a runtime.
const lifecycle = "(lifecycle)"

// live does it: RUNTIME ROOT BUNDLE.
func (b *bench) live(argv []string) error {
	runtime, root, bundle := argv[1], argv[2], argv[3]
	pidFile, id := b.root+"/pid", "c"+fmt.Sprint(b.next())
	if err := b.run(runtime + " --root " + root + " create --bundle " + bundle + " --pid-file " + pidFile + " " + id); err != nil {
		return err
	}
	if err := b.run(runtime + " --root " + root + " start " + id); err != nil {
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
	return b.run(runtime + " --root " + root + " delete " + id)
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
