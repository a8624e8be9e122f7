package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hull/containerd/containerdtest"
	"hull/containerd/imagetest"
)

func TestImages(t *testing.T) {
	c := containerdtest.StartOurs(t, nil)
	t.Run("layers", func(t *testing.T) { testLayers(t, c.With(t)) })
	t.Run("OCI layout", func(t *testing.T) { testLayout(t, c.With(t)) })
	t.Run("hostile", func(t *testing.T) { testHostile(t, c.With(t)) })
	t.Run("damaged", func(t *testing.T) { testDamaged(t, c.With(t)) })
}

// Three layers: whiteouts hide a file, an opaque directory hides what is below it, a directory replaces a file.
func testLayers(t *testing.T, c *containerdtest.Ours) {
	second := imagetest.Layer(t, []imagetest.Entry{
		{Name: "data/"},
		{Name: "data/gone", Body: "x"},
		{Name: "data/kept", Body: "2"},
		{Name: "opaque/"},
		{Name: "opaque/old", Body: "x"},
		{Name: "turn", Body: "file"},
	})
	third := imagetest.Layer(t, []imagetest.Entry{
		{Name: "data/"},
		{Name: "data/.wh.gone"},
		{Name: "data/new", Body: "3"},
		{Name: "opaque/"},
		{Name: "opaque/.wh..wh..opq"},
		{Name: "opaque/fresh", Body: "3"},
		{Name: "turn/"},
		{Name: "turn/dir", Body: "3"},
	})
	tar := imagetest.DockerSave(t, "docker.io/library/three:1", map[string]any{"Cmd": []string{"/bin/sh"}}, imagetest.Layer(t, imagetest.Busybox(t)), second, third)
	c.Output("images", "import", tar)
	out := c.Output("run", "--rm", "--runtime", containerdtest.Runc, "docker.io/library/three:1", "t1", "/bin/sh", "-c", "cd /; find data opaque turn | sort; cat data/kept")
	require.Equal(t, "data\ndata/kept\ndata/new\nopaque\nopaque/fresh\nturn\nturn/dir\n2", out)
}

// An OCI image layout with a gzip-ed layer, as a tar.
func testLayout(t *testing.T, c *containerdtest.Ours) {
	layer := imagetest.Layer(t, imagetest.Busybox(t))
	tar := layout(t, "1", layer)
	c.Output("images", "import", "--base-name", "docker.io/library/oci", tar)
	require.Equal(t, "hi\n", c.Output("run", "--rm", "--runtime", containerdtest.Runc, "docker.io/library/oci:1", "o1", "/bin/echo", "hi"))
}

// layout writes an OCI image layout of one layer; its index names it ref.
func layout(t *testing.T, ref string, layer []byte) string {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(layer)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	var entries []imagetest.Entry
	blob := func(mediaType string, body []byte) map[string]any {
		sum := fmt.Sprintf("%x", sha256.Sum256(body))
		entries = append(entries, imagetest.Entry{Name: "blobs/sha256/" + sum, Body: string(body), Mode: 0o644})
		return map[string]any{"mediaType": mediaType, "digest": "sha256:" + sum, "size": len(body)}
	}
	document := func(mediaType string, v any) map[string]any {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return blob(mediaType, text)
	}
	const oci = "application/vnd.oci.image."
	config := document(oci+"config.v1+json", map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	manifest := document(oci+"manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": oci + "manifest.v1+json", "config": config, "layers": []any{blob(oci+"layer.v1.tar+gzip", packed.Bytes())},
	})
	manifest["annotations"] = map[string]string{"org.opencontainers.image.ref.name": ref}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{manifest}})
	require.NoError(t, err)
	entries = append(entries, imagetest.Entry{Name: "index.json", Body: string(index), Mode: 0o644},
		imagetest.Entry{Name: "oci-layout", Body: `{"imageLayoutVersion":"1.0.0"}`, Mode: 0o644})
	file := filepath.Join(t.TempDir(), "oci.tar")
	require.NoError(t, os.WriteFile(file, imagetest.Layer(t, entries), 0o600))
	return file
}

// Layers that want out. Each is refused with an error that names the entry; nothing of the layer is left, nothing outside is touched.
func testHostile(t *testing.T, c *containerdtest.Ours) {
	canary := filepath.Join(t.TempDir(), "canary")
	require.NoError(t, os.WriteFile(canary, []byte("alive"), 0o600))
	file := func(name string) *tar.Header {
		return &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o777, Size: 4}
	}
	link := func(kind byte, name, to string) *tar.Header {
		return &tar.Header{Name: name, Typeflag: kind, Linkname: to, Mode: 0o777}
	}
	up := strings.Repeat("../", 20)
	for name, h := range map[string]struct {
		headers []*tar.Header
		want    string // "": it is taken, and stays inside
	}{
		"absolute":           {[]*tar.Header{file(canary)}, canary},
		"parent":             {[]*tar.Header{file(up + canary[1:])}, "../"},
		"deep parent":        {[]*tar.Header{file("a/../../x")}, "../x"},
		"hard link out":      {[]*tar.Header{link(tar.TypeLink, "h", up+canary[1:])}, `"h"`},
		"absolute hard link": {[]*tar.Header{link(tar.TypeLink, "h", canary)}, `"h"`},
		"symbolic link out":  {[]*tar.Header{link(tar.TypeSymlink, "s", up+canary[1:]), file("s")}, `"s"`},
		"root is a link":     {[]*tar.Header{link(tar.TypeSymlink, "./", "/etc")}, "root"},
		"through a link":     {[]*tar.Header{link(tar.TypeSymlink, "s", filepath.Dir(canary)), file("s/canary")}, ""},
		"proc":               {[]*tar.Header{link(tar.TypeSymlink, "s", "/proc/self/root"), file("s" + canary)}, ""},
		"hard link to a link": {
			[]*tar.Header{link(tar.TypeSymlink, "s", canary), link(tar.TypeLink, "h", "s"), file("h")}, "",
		},
		"overlay's own mark": {[]*tar.Header{{
			Name: "d", Typeflag: tar.TypeDir, Mode: 0o755, Format: tar.FormatPAX, PAXRecords: map[string]string{"SCHILY.xattr.trusted.overlay.redirect": "/etc"},
		}}, `"d"`},
	} {
		t.Run(name, func(t *testing.T) {
			c := c.With(t)
			var buf bytes.Buffer
			w := tar.NewWriter(&buf)
			for _, h := range h.headers {
				require.NoError(t, w.WriteHeader(h))
				if h.Typeflag == tar.TypeReg {
					_, err := w.Write([]byte("dead"))
					require.NoError(t, err)
				}
			}
			require.NoError(t, w.Close())
			ref := "docker.io/library/hostile:1"
			img := imagetest.DockerSave(t, ref, nil, imagetest.Layer(t, imagetest.Busybox(t)), buf.Bytes())
			if h.want != "" {
				_, said := c.Fail("images", "import", img)
				require.Contains(t, said, h.want)
				require.Contains(t, said, "entry")
				require.NotContains(t, c.Output("snapshots", "ls"), "Active")
			} else {
				c.Output("images", "import", img)
			}
			text, err := os.ReadFile(canary)
			require.NoError(t, err)
			require.Equal(t, "alive", string(text))
			c.Ctr("images", "rm", ref)
		})
	}
}

// Layers that are cut off, or are not what their digest says.
func testDamaged(t *testing.T, c *containerdtest.Ours) {
	layer := imagetest.Layer(t, []imagetest.Entry{{Name: "first", Body: "1"}, {Name: "second", Body: strings.Repeat("2", 4096)}})
	img := imagetest.DockerSave(t, "docker.io/library/cut:1", nil, imagetest.Layer(t, imagetest.Busybox(t)), layer[:3000])
	_, said := c.Fail("images", "import", img)
	require.Contains(t, said, "second")
	require.Contains(t, said, "unexpected EOF")
	require.NotContains(t, c.Output("snapshots", "ls"), "Active")

	// A blob that was damaged on the disk after it came in.
	other := imagetest.Layer(t, []imagetest.Entry{{Name: "third", Body: "3"}})
	img = imagetest.DockerSave(t, "docker.io/library/flip:1", nil, imagetest.Layer(t, imagetest.Busybox(t)), other)
	c.Output("images", "import", "--no-unpack", img)
	sum := fmt.Sprintf("%x", sha256.Sum256(other))
	blob := filepath.Join(c.Root, "lib/containerd/content", c.Namespace(), "blobs/sha256", sum)
	require.NoError(t, os.Chmod(blob, 0o600))
	other[512] ^= 1 // in the body of "third"
	require.NoError(t, os.WriteFile(blob, other, 0o600))
	_, said = c.Fail(append(run(c, "--rm")[:4], "docker.io/library/flip:1", "x", "true")...)
	require.Contains(t, said, "damaged")
	require.NotContains(t, c.Output("snapshots", "ls"), "Active")
}
