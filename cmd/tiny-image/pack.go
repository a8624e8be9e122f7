package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"runtime"
)

// pack writes the archive: one layer with /bin/tiny and a link for each of its names, the image's config, and the manifest that ties
// the two to a name.
func pack(program, name string, links []string, out string) error {
	body, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	layer := &archive{}
	layer.w = tar.NewWriter(&layer.buf)
	for _, dir := range []string{"bin/", "dev/", "etc/", "proc/", "root/", "run/", "sys/", "var/"} {
		layer.add(tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}, nil)
	}
	layer.add(tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, nil)
	layer.add(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644}, []byte("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n"))
	layer.add(tar.Header{Name: "etc/group", Typeflag: tar.TypeReg, Mode: 0o644}, []byte("root:x:0:\nuser:x:1000:\n"))
	layer.add(tar.Header{Name: "bin/tiny", Typeflag: tar.TypeReg, Mode: 0o755}, body)
	for _, link := range links {
		layer.add(tar.Header{Name: "bin/" + link, Typeflag: tar.TypeSymlink, Linkname: "tiny", Mode: 0o777}, nil)
	}
	layerTar, err := layer.end()
	if err != nil {
		return err
	}

	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": "2026-01-01T00:00:00Z",
		"config":  map[string]any{"Cmd": []string{"sh"}, "Env": []string{"PATH=/bin"}, "WorkingDir": "/"},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(layerTar)}},
		"history": []any{map[string]any{"created": "2026-01-01T00:00:00Z", "created_by": "cmd/tiny-image"}},
	})
	if err != nil {
		return err
	}
	configName, layerName := digest(config)+".json", digest(layerTar)+"/layer.tar"
	manifest, err := json.Marshal([]any{map[string]any{"Config": configName, "RepoTags": []string{name}, "Layers": []string{layerName}}})
	if err != nil {
		return err
	}

	save := &archive{}
	save.w = tar.NewWriter(&save.buf)
	for _, f := range []struct {
		name string
		body []byte
	}{{configName, config}, {layerName, layerTar}, {"manifest.json", manifest}} {
		save.add(tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o644}, f.body)
	}
	text, err := save.end()
	if err != nil {
		return err
	}
	tmp := out + ".tmp"
	if err := os.WriteFile(tmp, text, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, out)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// An archive is a tar being written; its first error is kept.
type archive struct {
	buf bytes.Buffer
	w   *tar.Writer
	err error
}

func (a *archive) add(h tar.Header, body []byte) {
	h.Size, h.Format = int64(len(body)), tar.FormatPAX
	if a.err == nil {
		a.err = a.w.WriteHeader(&h)
	}
	if a.err == nil {
		_, a.err = a.w.Write(body)
	}
}

func (a *archive) end() ([]byte, error) {
	if a.err == nil {
		a.err = a.w.Close()
	}
	return a.buf.Bytes(), a.err
}
