package daemon_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hull/containerd/imagetest"

	"github.com/stretchr/testify/require"
)

func testImages(t *testing.T, r *rig) {
	base := imagetest.Layer(t, imagetest.Busybox(t))
	second := imagetest.Layer(t, []imagetest.Entry{{Name: "a/"}, {Name: "a/one", Body: "1"}, {Name: "a/two", Body: "2"}, {Name: "b/"}, {Name: "b/x", Body: "x"}})
	third := imagetest.Layer(t, []imagetest.Entry{{Name: "a/.wh.one"}, {Name: "b/y", Body: "y"}, {Name: "b/.wh..wh..opq"}})
	three := imagetest.DockerSave(t, "three:1", map[string]any{"Cmd": []string{"ls", "/a", "/b"}, "Env": []string{"PATH=/bin"}}, base, second, third)
	require.Equal(t, "Loaded image: three:1\n", r.load(t, three))
	require.Equal(t, "/a:\ntwo\n\n/b:\ny\n", r.run(t, "--rm", "three:1").stdout)
	require.Equal(t, "Loaded image: three:1\n", r.load(t, three), "again")
	zipped := filepath.Join(t.TempDir(), "three.tar.gz")
	require.NoError(t, os.WriteFile(zipped, gzipped(t, mustRead(t, three)), 0o600))
	require.Equal(t, "Loaded image: three:1\n", r.load(t, zipped))

	require.Equal(t, "Loaded image: layout:7\n", r.load(t, ociLayout(t, "layout:7", base, base)))
	require.Equal(t, "from oci\n", r.run(t, "--rm", "layout:7", "sh", "-c", "echo $X").stdout)

	id := strings.TrimSpace(r.ok(t, "images", "-q", "three:1"))
	require.Equal(t, "linux 3\n", r.ok(t, "image", "inspect", "-f", "{{.Os}} {{len .RootFS.Layers}}", id))
	r.ok(t, "tag", "three:1", "other/name:2")
	require.Contains(t, r.docker(t, nil, "rmi", id).stderr, "must be forced")
	require.Equal(t, "Untagged: other/name:2\n", r.ok(t, "rmi", "other/name:2"))

	r.run(t, "-d", "--name", "user", "three:1", "sleep", "1000")
	require.Contains(t, r.docker(t, nil, "rmi", "three:1").stderr, "is using its referenced image")
	r.ok(t, "rm", "-f", "user")
	for _, name := range []string{"three:1", "layout:7"} {
		require.Contains(t, r.ok(t, "rmi", name), "Deleted: sha256:")
	}
	require.Equal(t, 125, r.run(t, "--rm", "--pull", "never", "three:1").code)
}

func testHostileArchives(t *testing.T, r *rig) {
	canary := filepath.Join(t.TempDir(), "canary")
	base := imagetest.Layer(t, []imagetest.Entry{{Name: "etc/"}, {Name: "etc/x", Body: "content of x"}})
	whole := mustRead(t, imagetest.DockerSave(t, "cut:1", nil, base))
	before := r.ok(t, "images", "-q")
	contentBefore, err := r.ctd.Ctr("-n", "hull", "content", "ls", "-q")
	require.NoError(t, err)

	up := strings.Repeat("../", 12)
	for name, layer := range map[string][]imagetest.Entry{
		"dotdot":   {{Name: up + canary[1:], Body: "x"}},
		"absolute": {{Name: canary, Body: "x"}},
		"link":     {{Name: "l", Link: filepath.Dir(canary)}, {Name: "l/canary", Body: "x"}},
	} {
		// Contained or refused: never outside.
		path := imagetest.DockerSave(t, "hostile-"+name+":1", nil, imagetest.Layer(t, layer))
		r.docker(t, nil, "load", "-i", path)
		require.NoFileExists(t, canary, name)
		r.docker(t, nil, "rmi", "hostile-"+name+":1") // if it was contained
	}
	for name, c := range map[string]struct {
		body []byte
		text string
	}{
		"empty":        {nil, "unrecognized image format"},
		"garbage":      {bytes.Repeat([]byte("garbage "), 500), "archive"},
		"cut short":    {whole[:len(whole)/2], "archive"},
		"wrong layer":  {bytes.Replace(whole, []byte("content of x"), []byte("content of y"), 1), "diff id"},
		"wrong digest": {mustRead(t, ociLayout(t, "wrong:1", base, append(bytes.Clone(base), 0))), "not found"},
		"no config":    {bytes.Replace(whole, []byte(`"Config":"`), []byte(`"Config":"x`), 1), "archive"},
	} {
		path := filepath.Join(t.TempDir(), "x.tar")
		require.NoError(t, os.WriteFile(path, c.body, 0o600))
		res := r.docker(t, nil, "load", "-i", path)
		require.NotZero(t, res.code, name)
		require.Contains(t, res.stderr, c.text, name)
		require.Len(t, lines(res.stderr), 1, "%s: %s", name, res.stderr)
	}
	require.Equal(t, before, r.ok(t, "images", "-q"))
	content, err := r.ctd.Ctr("-n", "hull", "content", "ls", "-q")
	require.NoError(t, err)
	require.Equal(t, contentBefore, content, "nothing half-made is left")
	active, err := r.ctd.Ctr("-n", "hull", "content", "active")
	require.NoError(t, err)
	require.Len(t, lines(active), 1, active)
}

// ociLayout writes an OCI image layout with one gzipped layer; stored is what its blob really holds.
func ociLayout(t *testing.T, name string, layer, stored []byte) string {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(path string, body []byte) {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(body))}))
		_, err := w.Write(body)
		require.NoError(t, err)
	}
	digest := func(b []byte) string { sum := sha256.Sum256(b); return "sha256:" + hexOf(sum[:]) }
	blob := func(b []byte) { add("blobs/sha256/"+strings.TrimPrefix(digest(b), "sha256:"), b) }
	packed := gzipped(t, layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": map[string]any{"Env": []string{"PATH=/bin", "X=from oci"}, "Cmd": []string{"sh"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(layer)}},
	})
	require.NoError(t, err)
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": map[string]any{"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)},
		"layers": []any{map[string]any{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(packed), "size": len(packed)}},
	})
	require.NoError(t, err)
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{map[string]any{
		"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(manifest), "size": len(manifest),
		"annotations": map[string]string{"org.opencontainers.image.ref.name": name},
	}}})
	require.NoError(t, err)
	add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	add("index.json", index)
	blob(config)
	blob(manifest)
	blob(gzipped(t, stored))
	require.NoError(t, w.Close())
	path := filepath.Join(t.TempDir(), "layout.tar")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	return path
}

func gzipped(t *testing.T, b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func mustRead(t *testing.T, path string) []byte {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}
