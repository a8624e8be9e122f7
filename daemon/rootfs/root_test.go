package rootfs

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"hull/stages/probetest"
)

// open is a root on an ordinary directory, beside a canary that nothing may reach.
func open(t *testing.T) (r *Root, dir, canary string) {
	probetest.Need(t, "root")
	top := t.TempDir()
	dir, canary = top+"/root", top+"/canary"
	require.NoError(t, os.MkdirAll(dir+"/etc", 0o755))
	require.NoError(t, os.WriteFile(canary, []byte("alive"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/etc/x", []byte("inside"), 0o640))
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() {
		unix.Close(fd)
		text, err := os.ReadFile(canary)
		require.NoError(t, err)
		require.Equal(t, "alive", string(text))
	})
	return &Root{fd}, dir, canary
}

func names(t *testing.T, r io.Reader) (all []string, bodies map[string]string) {
	bodies = map[string]string{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all, bodies
		}
		require.NoError(t, err)
		body, err := io.ReadAll(tr)
		require.NoError(t, err)
		all = append(all, h.Name)
		bodies[h.Name] = string(body)
	}
}

func pack(t *testing.T, hs ...*tar.Header) io.Reader {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range hs {
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = 4
		}
		require.NoError(t, w.WriteHeader(h))
		if h.Typeflag == tar.TypeReg {
			w.Write([]byte("data"))
		}
	}
	require.NoError(t, w.Close())
	return &buf
}

func reg(name string) *tar.Header { return &tar.Header{Name: name, Typeflag: tar.TypeReg} }
func link(kind byte, name, to string) *tar.Header {
	return &tar.Header{Name: name, Typeflag: kind, Linkname: to}
}

func TestArchive(t *testing.T) {
	r, dir, canary := open(t)
	require.NoError(t, os.Symlink("/etc/x", dir+"/abs"))
	require.NoError(t, os.Symlink("../../../canary", dir+"/out"))
	require.NoError(t, os.Symlink(canary, dir+"/out2"))
	require.NoError(t, os.Link(dir+"/etc/x", dir+"/etc/y"))
	for name, want := range map[string][]string{
		"/etc": {"etc/", "etc/x", "etc/y"}, "etc/.": {"./", "./x", "./y"}, "/etc/x": {"x"}, "abs": {"abs"}, "/../../etc/x": {"x"},
	} {
		var buf bytes.Buffer
		require.NoError(t, r.Archive(t.Context(), name, &buf), name)
		got, _ := names(t, &buf)
		require.Equal(t, want, got, name)
	}
	s, err := r.Stat("/abs")
	require.NoError(t, err)
	require.Equal(t, "/etc/x", s.LinkTarget)
	for _, name := range []string{"/out/", "/out2/.", "/nosuch", "/etc/x/y"} {
		require.Error(t, r.Archive(t.Context(), name, io.Discard), name)
		_, err := r.Stat(name)
		require.Error(t, err, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Archive(ctx, "/", io.Discard), context.Canceled)
}

func TestExtract(t *testing.T) {
	r, dir, canary := open(t)
	require.NoError(t, os.Symlink(filepath.Dir(canary), dir+"/hostlink"))
	require.NoError(t, os.Symlink("/etc", dir+"/etclink"))
	up := strings.Repeat("../", 20)
	for name, c := range map[string]struct {
		headers []*tar.Header
		want    string // an error; "" for none
	}{
		"plain":          {[]*tar.Header{{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o711}, reg("d/f"), link(tar.TypeLink, "d/g", "d/f"), link(tar.TypeSymlink, "d/s", "f")}, ""},
		"no parent":      {[]*tar.Header{reg("a/b/c")}, ""},
		"dot dot":        {[]*tar.Header{reg(up + canary[1:])}, ".."},
		"absolute":       {[]*tar.Header{reg("/etc/abs")}, ""},
		"through a link": {[]*tar.Header{link(tar.TypeSymlink, "s", filepath.Dir(canary)), reg("s/canary")}, "no such file"},
		"existing link":  {[]*tar.Header{reg("hostlink/canary")}, "no such file"},
		"inside link":    {[]*tar.Header{reg("etclink/through")}, ""},
		"over a link":    {[]*tar.Header{link(tar.TypeSymlink, "l", canary), reg("l")}, ""},
		"hard link out":  {[]*tar.Header{link(tar.TypeLink, "h", up+canary[1:])}, "hard link"},
		"hard link link": {[]*tar.Header{link(tar.TypeSymlink, "s2", canary), link(tar.TypeLink, "h2", "s2"), reg("h2")}, ""},
		"proc":           {[]*tar.Header{link(tar.TypeSymlink, "p", "/proc/self/root"), reg("p/" + canary[1:])}, "no such file"},
		"dir over file":  {[]*tar.Header{{Name: "etc/x/", Typeflag: tar.TypeDir}}, "cannot overwrite non-directory"},
		"file over dir":  {[]*tar.Header{reg("etc")}, "cannot overwrite directory"},
		"the root":       {[]*tar.Header{link(tar.TypeSymlink, "./", "/etc")}, "cannot be replaced"},
	} {
		err := r.Extract(t.Context(), "/", pack(t, c.headers...), ExtractOptions{KeepKinds: true})
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.want, name)
		}
	}
	text, err := os.ReadFile(dir + "/etc/through")
	require.NoError(t, err)
	require.Equal(t, "data", string(text))
	require.ErrorIs(t, r.Extract(t.Context(), "/etc/x", pack(t, reg("f")), ExtractOptions{}), ErrNotDirectory)
	require.NoError(t, r.Extract(t.Context(), "/", pack(t, reg("etc")), ExtractOptions{Owner: &Owner{7, 8}}), "without KeepKinds a file takes a directory's place")
	var st unix.Stat_t
	require.NoError(t, unix.Stat(dir+"/etc", &st))
	require.Equal(t, []uint32{7, 8}, []uint32{st.Uid, st.Gid})
	require.ErrorContains(t, r.Extract(t.Context(), "/", io.LimitReader(pack(t, reg("cut"), reg("cut2")), 514), ExtractOptions{}), "archive:")
}

// TestRace swaps a directory for a link out of the root while an archive is packed and unpacked: nothing outside is read or written.
func TestRace(t *testing.T) {
	r, dir, canary := open(t)
	require.NoError(t, os.MkdirAll(dir+"/v/d", 0o755))
	require.NoError(t, os.WriteFile(dir+"/v/d/canary", []byte("inside"), 0o600))
	require.NoError(t, os.Symlink(filepath.Dir(canary), dir+"/v/l"))
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !stop.Load() {
			unix.Renameat2(unix.AT_FDCWD, dir+"/v/d", unix.AT_FDCWD, dir+"/v/l", unix.RENAME_EXCHANGE)
		}
	}()
	hits := 0
	for range 500 {
		var buf bytes.Buffer
		r.Archive(t.Context(), "/v", &buf) // it may fail: an entry changed its kind
		_, bodies := map[string]string{}, map[string]string{}
		if buf.Len() > 0 {
			for tr := tar.NewReader(&buf); ; {
				h, err := tr.Next()
				if err != nil {
					break
				}
				body, _ := io.ReadAll(tr)
				bodies[h.Name] = string(body)
			}
		}
		for _, body := range bodies {
			require.NotEqual(t, "alive", body)
			if body == "inside" {
				hits++
			}
		}
		r.Extract(t.Context(), "/v/d", pack(t, reg("canary")), ExtractOptions{})
		r.Extract(t.Context(), "/v/d", pack(t, reg("new")), ExtractOptions{})
		require.NoFileExists(t, filepath.Dir(canary)+"/new")
	}
	stop.Store(true)
	<-done
	require.NotZero(t, hits, "the packer saw the directory as well")
}
