package main_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hull/containerd/imagetest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// secret is what the host's files hold that an attack is after.
const secret = "a secret of the host"

// A canary is a directory of the host's outside every root, with one file in it. What was done to it shows afterwards.
type canary struct {
	t      *testing.T
	dir    string
	before string
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{t: t, dir: t.TempDir()}
	require.NoError(t, os.WriteFile(c.file(), []byte(secret+"\n"), 0o644))
	c.before = c.look()
	return c
}

func (c *canary) file() string { return filepath.Join(c.dir, "file") }

// look tells of everything in it: names, modes, owners, times, extended attributes, content.
func (c *canary) look() string {
	var all strings.Builder
	require.NoError(c.t, filepath.WalkDir(c.dir, func(path string, _ fs.DirEntry, err error) error {
		var st unix.Stat_t
		require.NoError(c.t, err)
		require.NoError(c.t, unix.Lstat(path, &st))
		attributes := make([]byte, 4096)
		n, _ := unix.Llistxattr(path, attributes)
		fmt.Fprintf(&all, "%s %o %d:%d %d.%d %q", path, st.Mode, st.Uid, st.Gid, st.Mtim.Sec, st.Mtim.Nsec, attributes[:max(n, 0)])
		if st.Mode&unix.S_IFMT == unix.S_IFREG {
			text, err := os.ReadFile(path)
			require.NoError(c.t, err)
			fmt.Fprintf(&all, " %x", sha256.Sum256(text))
		}
		all.WriteString("\n")
		return nil
	}))
	return all.String()
}

func (c *canary) untouched(what string) {
	c.t.Helper()
	require.Equal(c.t, c.before, c.look(), "the host's files have changed: %s", what)
}

// hostile loads an image of busybox with one more layer: files by their names, and links by theirs.
func (e *engine) hostile(name string, config map[string]any, files, links map[string]string, more ...tar.Header) {
	e.t.Helper()
	var entries []imagetest.Entry
	for _, file := range slices.Sorted(maps.Keys(files)) {
		entries = append(entries, imagetest.Entry{Name: file, Body: files[file]})
	}
	for _, link := range slices.Sorted(maps.Keys(links)) {
		entries = append(entries, imagetest.Entry{Name: link, Link: links[link]})
	}
	all := map[string]any{"Cmd": []string{"/bin/sh"}, "Env": []string{"PATH=/bin"}}
	maps.Copy(all, config)
	e.ok("load", "-i", imagetest.DockerSave(e.t, name, all,
		imagetest.Layer(e.t, imagetest.Busybox(e.t)), imagetest.Layer(e.t, entries), raw(e.t, more)))
}

// raw is a layer of entries of any type.
func raw(t *testing.T, headers []tar.Header) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		require.NoError(t, w.WriteHeader(&h))
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// once runs a container to its end, without a network.
func (e *engine) once(args ...string) (stdout, stderr string, code int) {
	e.t.Helper()
	return e.run(append([]string{"run", "--rm", "--network", "none"}, args...)...)
}

// background runs a container that sleeps, and removes it at the test's end.
func (e *engine) background(image string, flags ...string) (id string) {
	e.t.Helper()
	id = strings.TrimSpace(e.ok(append(append([]string{"run", "-d", "--network", "none"}, flags...), image, "sleep", "100000")...))
	e.t.Cleanup(func() { e.ok("rm", "-f", id) })
	return id
}

// bodies are the regular files of a tar; what of it cannot be read any more is left out.
func bodies(r io.Reader) map[string]string {
	all := map[string]string{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err != nil {
			return all
		}
		if h.Size < 1<<16 {
			text, _ := io.ReadAll(tr)
			all[h.Name] = string(text)
		}
	}
}

// tarOf is a tar of regular files.
func tarOf(t *testing.T, files map[string]string) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for name, text := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		w.Write([]byte(text))
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}
