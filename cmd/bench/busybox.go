package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// applets lists the links that busybox answers to.
func applets(busybox string) ([]string, error) {
	out, err := exec.Command(busybox, "--list").Output()
	return strings.Fields(string(out)), err
}

// unpackBusybox makes a root file system of busybox, its links and a few empty directories.
func unpackBusybox(busybox, dir string) error {
	names, err := applets(busybox)
	if err != nil {
		return err
	}
	for _, d := range []string{"bin", "proc", "sys", "dev", "tmp", "etc"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	body, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), body, 0o755); err != nil {
		return err
	}
	for _, n := range names {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", n)); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}
