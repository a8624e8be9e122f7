package main

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// writeRootfs writes the archive that the suite unpacks as each container's root: busybox under all of its names.
func writeRootfs(dir string) error {
	tools := os.Getenv("HULL_TOOLS")
	if tools == "" {
		tools = ".hull/tools"
	}
	busybox := filepath.Join(tools, "bin/busybox")
	program, err := os.ReadFile(busybox)
	if err != nil {
		return fmt.Errorf("%w (.ci/peers fetches it)", err)
	}
	applets, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return fmt.Errorf("busybox --list: %w", err)
	}
	f, err := os.Create(fmt.Sprintf("%s/rootfs-%s.tar.gz", dir, runtime.GOARCH))
	if err != nil {
		return err
	}
	defer f.Close()
	zip := gzip.NewWriter(f)
	archive := tar.NewWriter(zip)
	add := func(h tar.Header, content string) {
		h.Size = int64(len(content))
		if e := archive.WriteHeader(&h); e != nil {
			err = e
		}
		if _, e := archive.Write([]byte(content)); e != nil {
			err = e
		}
	}
	for _, d := range []string{".", "bin", "dev", "etc", "proc", "sys", "tmp"} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o755}, "")
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, "root:x:0:0:root:/root:/bin/sh\n")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644}, "root:x:0:\n")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, string(program))
	for _, a := range strings.Fields(string(applets)) {
		if a != "busybox" {
			add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + a, Linkname: "busybox", Mode: 0o777}, "")
		}
	}
	if e := archive.Close(); e != nil {
		err = e
	}
	if e := zip.Close(); e != nil {
		err = e
	}
	return err
}
