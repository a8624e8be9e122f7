// Package imagetest makes small real images for tests, from Debian's static busybox. Nothing is downloaded but the package that
// .ci/peers unpacks.
package imagetest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages/probetest"
)

// An Entry is one member of a layer.
type Entry struct {
	Name string // no leading slash; a trailing one makes a directory
	Body string
	Link string // symbolic link's target
	Mode int64  // 0: 0755
}

// Busybox is the layer with /bin/busybox, a link for every applet, and the usual empty directories.
func Busybox(t testing.TB) []Entry {
	t.Helper()
	probetest.Need(t, "busybox")
	bin := filepath.Join(probetest.Tools(), "bin/busybox")
	body, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command(bin, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	es := []Entry{
		{Name: "bin/"},
		{Name: "bin/busybox", Body: string(body)},
		{Name: "etc/"},
		{Name: "etc/passwd", Body: "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n", Mode: 0o644},
		{Name: "etc/group", Body: "root:x:0:\nuser:x:1000:\n", Mode: 0o644},
		{Name: "root/", Mode: 0o700},
		{Name: "tmp/", Mode: 0o1777},
		{Name: "home/"},
		{Name: "var/"},
		{Name: "proc/"},
		{Name: "sys/"},
		{Name: "dev/"},
	}
	for _, applet := range strings.Fields(string(list)) {
		if applet != "busybox" {
			es = append(es, Entry{Name: "bin/" + applet, Link: "busybox"})
		}
	}
	return es
}

// Layer is the entries as an uncompressed tar.
func Layer(t testing.TB, entries []Entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e.Name, Mode: e.Mode, Format: tar.FormatPAX}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		switch {
		case strings.HasSuffix(e.Name, "/"):
			h.Typeflag = tar.TypeDir
		case e.Link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
		default:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.Body))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.Body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// DockerSave writes what `docker save` writes: manifest.json, a config and one tar per layer, and returns the file's path. config is
// the image config's "config" object (Cmd, Env, Entrypoint, User, WorkingDir).
func DockerSave(t testing.TB, name string, config map[string]any, layers ...[]byte) string {
	t.Helper()
	var diffIDs, paths []string
	files := map[string][]byte{}
	for _, l := range layers {
		sum := sha256.Sum256(l)
		id := hex.EncodeToString(sum[:])
		diffIDs = append(diffIDs, "sha256:"+id)
		paths = append(paths, id+"/layer.tar")
		files[id+"/layer.tar"] = l
	}
	conf := marshal(t, map[string]any{
		"architecture": goarch(), "os": "linux", "config": config, "created": "2026-01-01T00:00:00Z",
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs},
	})
	sum := sha256.Sum256(conf)
	confName := hex.EncodeToString(sum[:]) + ".json"
	files[confName] = conf
	files["manifest.json"] = marshal(t, []any{map[string]any{"Config": confName, "RepoTags": []string{name}, "Layers": paths}})

	out := filepath.Join(t.TempDir(), "image.tar")
	var entries []Entry
	for name, body := range files {
		entries = append(entries, Entry{Name: name, Body: string(body), Mode: 0o644})
	}
	if err := os.WriteFile(out, Layer(t, entries), 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

// BusyboxSave is a docker-save tar of one busybox layer, under the given name (such as "busybox:latest").
func BusyboxSave(t testing.TB, name string) string {
	t.Helper()
	return DockerSave(t, name, map[string]any{"Cmd": []string{"/bin/sh"}, "Env": []string{"PATH=/bin"}}, Layer(t, Busybox(t)))
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
