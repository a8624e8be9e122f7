package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// busybox is Debian's static one, as .ci/peers unpacks it.
func busybox() string { return toolsDir() + "/bin/busybox" }

// unpackBusybox makes a root file system of busybox, its links and a few empty directories.
func (b *bench) unpackBusybox(dir string) error {
	list, err := exec.Command(busybox(), "--list").Output()
	if err != nil {
		return err
	}
	for _, d := range []string{"bin", "proc", "sys", "dev", "tmp", "etc"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	body, err := os.ReadFile(busybox())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), body, 0o755); err != nil {
		return err
	}
	for _, n := range strings.Fields(string(list)) {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", n)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}
