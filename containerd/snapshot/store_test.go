package snapshot_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hull/containerd/meta"
	"hull/containerd/snapshot"
	"hull/stages"
)

func open(t *testing.T, dir string) (*snapshot.Store, func()) {
	t.Helper()
	db, err := meta.Open(dir+"/lib.db", dir+"/run.db")
	require.NoError(t, err)
	s, err := snapshot.Open(dir+"/snapshots", db)
	require.NoError(t, err)
	return s, func() { require.NoError(t, db.Close()) }
}

func TestChain(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s, done := open(t, dir)
	m, err := s.Prepare(ctx, "n", snapshot.Active, "a1", "", nil)
	require.NoError(t, err)
	require.Equal(t, []snapshot.Mount{{Type: "bind", Source: dir + "/snapshots/1/fs", Options: []string{"rw", "rbind"}}}, m)
	require.NoError(t, os.Chmod(m[0].Source, 0o711))
	require.NoError(t, os.WriteFile(m[0].Source+"/f", make([]byte, 8192), 0o600))
	require.NoError(t, s.Commit("n", "l1", "a1", nil))
	i, err := s.Stat("n", "l1")
	require.NoError(t, err)
	require.GreaterOrEqual(t, i.Size, int64(8192))
	require.Equal(t, int64(2), i.Inodes)

	m, err = s.Prepare(ctx, "n", snapshot.Active, "a2", "l1", nil)
	require.NoError(t, err)
	require.Equal(t, "index=off workdir="+dir+"/snapshots/2/work upperdir="+dir+"/snapshots/2/fs lowerdir="+dir+"/snapshots/1/fs", strings.Join(m[0].Options, " "))
	info, err := os.Stat(dir + "/snapshots/2/fs")
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o711), info.Mode().Perm(), "the root's mode is the layer's below")
	require.NoError(t, s.Commit("n", "l2", "a2", nil))
	m, err = s.Prepare(ctx, "n", snapshot.View, "v", "l2", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"index=off", "lowerdir=" + dir + "/snapshots/2/fs:" + dir + "/snapshots/1/fs"}, m[0].Options, "the top layer first")

	require.Equal(t, stages.Conflict, stages.KindOf(s.Remove("n", "l1")))
	_, err = s.Prepare(ctx, "other", snapshot.Active, "x", "l2", nil)
	require.Equal(t, stages.NotFound, stages.KindOf(err), "namespaces share nothing")
	done()

	// A kill between directory and record, or between record and directory.
	require.NoError(t, os.MkdirAll(dir+"/snapshots/77/fs", 0o700))
	s, done = open(t, dir)
	defer done()
	left, err := filepath.Glob(dir + "/snapshots/*")
	require.NoError(t, err)
	require.Len(t, left, 3, "only what has a record")
	m, err = s.Prepare(ctx, "n", snapshot.Active, "a3", "l2", map[string]string{meta.LabelVolatile: "true"})
	require.NoError(t, err)
	require.Contains(t, strings.Join(m[0].Options, " "), "/snapshots/78/", "a number is never given twice")
	for _, key := range []string{"a3", "v", "l2", "l1"} {
		require.NoError(t, s.Remove("n", key))
	}
	left, err = filepath.Glob(dir + "/snapshots/*")
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestRootForOverlay(t *testing.T) {
	_, err := snapshot.Open(t.TempDir()+"/a,b", nil)
	require.ErrorContains(t, err, "comma")
}
