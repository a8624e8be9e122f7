package content

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/stretchr/testify/require"

	"hull/containerd/meta"
)

// newStore is a store in a directory of the test's, and a context in its namespace.
func newStore(t *testing.T) (*Store, context.Context, string) {
	t.Helper()
	db, err := meta.Open(filepath.Join(t.TempDir(), "lib.db"), filepath.Join(t.TempDir(), "run.db"))
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	root := t.TempDir()
	return New(root, db), namespaces.WithNamespace(t.Context(), "ns"), root
}

// TestAbortWhileWritten: an upload that is aborted under its writer is gone at once for whoever asks, cannot become a blob, and leaves nothing
// at its writer's end.
func TestAbortWhileWritten(t *testing.T) {
	for name, end := range map[string]func(content.Writer) error{
		"closed":    func(w content.Writer) error { w.Close(); return errdefs.ErrNotFound },
		"committed": func(w content.Writer) error { defer w.Close(); return w.Commit(context.Background(), 5, "") },
	} {
		s, ctx, root := newStore(t)
		w, err := s.Writer(ctx, content.WithRef("up"))
		require.NoError(t, err)
		_, err = w.Write([]byte("hello"))
		require.NoError(t, err)
		_, err = s.Writer(ctx, content.WithRef("up"))
		require.ErrorIs(t, err, errdefs.ErrUnavailable, "one writer at a time")
		all, err := s.ListStatuses(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)

		require.NoError(t, s.Abort(ctx, "up"))
		all, err = s.ListStatuses(ctx)
		require.NoError(t, err)
		require.Empty(t, all, name)
		_, err = s.Status(ctx, "up")
		require.ErrorIs(t, err, errdefs.ErrNotFound)

		require.ErrorIs(t, end(w), errdefs.ErrNotFound, name)
		left, err := os.ReadDir(filepath.Join(root, "ns/ingest"))
		require.NoError(t, err)
		require.Empty(t, left, name)
		w, err = s.Writer(ctx, content.WithRef("up"))
		require.NoError(t, err, "the name is free again")
		_, err = w.Write([]byte("hello"))
		require.NoError(t, err)
		require.NoError(t, w.Commit(ctx, 5, ""))
		require.NoError(t, w.Close())
	}
}

// TestHalves: what a kill leaves of an upload that has only just begun, or was just becoming a blob, breaks no listing and is gone after a
// restart; a whole one stays.
func TestHalves(t *testing.T) {
	files := []string{"ref", "data", "startedat", "updatedat"}
	s, ctx, root := newStore(t)
	w, err := s.Writer(ctx, content.WithRef("whole"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for i := range files {
		dir := filepath.Join(root, "ns/ingest", files[i])
		require.NoError(t, os.Mkdir(dir, 0o755))
		for _, file := range files[:i] {
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), nil, 0o644))
		}
	}
	restarted := &Store{root: root, labels: s.labels, stores: map[string]content.Store{}, leased: map[upload]bool{}, open: map[upload]*writer{}}
	all, err := restarted.ListStatuses(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "whole", all[0].Ref)
	left, err := os.ReadDir(filepath.Join(root, "ns/ingest"))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

// TestSettled: what vanishes while it is listed makes the list be made again; any other failure is one.
func TestSettled(t *testing.T) {
	tries := 0
	all, err := settled(func() ([]int, error) {
		if tries++; tries < 4 {
			return nil, &fs.PathError{Op: "lstat", Path: "blob", Err: fs.ErrNotExist}
		}
		return []int{1, 2}, nil
	})
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, all)
	require.Equal(t, 4, tries)

	broken := errors.New("broken")
	tries = 0
	_, err = settled(func() ([]int, error) { tries++; return nil, broken })
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, tries)
}
