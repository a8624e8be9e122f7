package main_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"hull/containerd/imagetest"

	"github.com/stretchr/testify/require"
)

// hostileArchives writes image archives that must be refused into dir. Each has one thing wrong with it.
func hostileArchives(t *testing.T, dir string) {
	t.Helper()
	write := func(name string, body []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), body, 0o644))
	}
	image := func(name string, layers ...[]byte) {
		body, err := os.ReadFile(imagetest.DockerSave(t, "evil:latest", map[string]any{}, layers...))
		require.NoError(t, err)
		write(name, body)
	}
	entry := func(h tar.Header) []byte {
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		h.Mode = 0o755
		require.NoError(t, w.WriteHeader(&h))
		require.NoError(t, w.Close())
		return buf.Bytes()
	}
	image("dotdot.tar", imagetest.Layer(t, []imagetest.Entry{{Name: "a/../../escaped", Body: "x"}}))
	image("absolute.tar", imagetest.Layer(t, []imagetest.Entry{{Name: "/escaped", Body: "x"}}))
	image("hardlink.tar", entry(tar.Header{Typeflag: tar.TypeLink, Name: "passwd", Linkname: "../../../etc/passwd"}))
	image("hardlink-absolute.tar", entry(tar.Header{Typeflag: tar.TypeLink, Name: "passwd", Linkname: "/etc/passwd"}))
	image("through-link.tar", imagetest.Layer(t, []imagetest.Entry{{Name: "out", Link: "../../../../../../../../../.." + dir}, {Name: "out/escaped", Body: "x"}}))
	image("damaged-layer.tar", []byte("this is no tar archive, though it is long enough to be looked at as one"))

	whole, err := os.ReadFile(imagetest.BusyboxSave(t, "cut:latest"))
	require.NoError(t, err)
	write("truncated.tar", whole[:len(whole)/2])
	flipped := bytes.Clone(whole)
	at := bytes.Index(flipped, []byte("root:x:0:0:root"))
	require.Positive(t, at)
	flipped[at] = 'R' // the layer's digest in the config is another's now
	write("wrong-digest.tar", flipped)
	write("garbage.tar", []byte("garbage"))
	write("empty.tar", nil)
	write("no-image.tar", imagetest.Layer(t, []imagetest.Entry{{Name: "readme", Body: "x"}}))
	write("no-config.tar", imagetest.Layer(t, []imagetest.Entry{
		{Name: "manifest.json", Body: `[{"Config":"../../etc/passwd","RepoTags":["evil:latest"],"Layers":[]}]`},
	}))
	write("no-json.tar", imagetest.Layer(t, []imagetest.Entry{{Name: "manifest.json", Body: `[{"Config":`}}))
}
