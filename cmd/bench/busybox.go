package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
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

// writeBusybox writes the same as a docker-save tar of one layer, under the given reference.
func writeBusybox(busybox, file, ref string) error {
	dir, err := os.MkdirTemp("", "busybox")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := unpackBusybox(busybox, dir); err != nil {
		return err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	w.Close()
	sum := sha256.Sum256(layer.Bytes())
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": "2026-01-01T00:00:00Z",
		"config": map[string]any{"Cmd": []string{"/bin/sh"}, "Env": []string{"PATH=/bin"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]any{map[string]any{"Config": "config.json", "RepoTags": []string{ref}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	var image bytes.Buffer
	w = tar.NewWriter(&image)
	for _, f := range []struct {
		name string
		body []byte
	}{{"layer.tar", layer.Bytes()}, {"config.json", config}, {"manifest.json", manifest}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.body)), ModTime: time.Unix(0, 0)}); err != nil {
			return err
		}
		if _, err := w.Write(f.body); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, image.Bytes(), 0o600)
}
