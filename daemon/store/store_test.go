package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"hull/daemon/store"
	"hull/stages/instance"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/require"
)

func record(id string, rm bool) *store.Record {
	return &store.Record{ID: id, Name: "n-" + id, Config: &container.Config{}, HostConfig: &container.HostConfig{AutoRemove: rm}}
}

func open(t *testing.T) (*store.Store, instance.Instance) {
	inst, err := instance.At(t.TempDir())
	require.NoError(t, err)
	s, err := store.Open(inst)
	require.NoError(t, err)
	return s, inst
}

func TestRecordsComeBack(t *testing.T) {
	s, inst := open(t)
	for _, rm := range []bool{true, false} {
		r := record("a", rm)
		require.NoError(t, s.Save(r))
		r.State.ExitCode = 7
		require.NoError(t, s.Save(r))
		all, swept, err := s.Load()
		require.NoError(t, err)
		require.Empty(t, swept)
		require.Len(t, all, 1)
		require.Equal(t, 7, all[0].State.ExitCode)
		require.NoError(t, s.Delete(r))
		for _, dir := range []string{inst.RunContainers(), inst.LibContainers()} {
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left)
		}
	}
}

// The four leftovers of a crash: a missing record, an empty one, an old one, a stray temporary file beside a whole one.
func TestLeftoversOfACrash(t *testing.T) {
	s, inst := open(t)
	lib := inst.LibContainers()
	require.NoError(t, os.MkdirAll(filepath.Join(lib, "missing"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(lib, "empty"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(lib, "empty", "container.json"), nil, 0o600))
	require.NoError(t, s.Save(record("whole", false)))
	require.NoError(t, os.WriteFile(filepath.Join(lib, "whole", "container.json.tmp"), []byte(`{"ID":"wh`), 0o600))
	require.NoError(t, s.Save(record("moved", false)))
	require.NoError(t, os.Rename(filepath.Join(lib, "moved"), filepath.Join(lib, "stranger")))

	all, swept, err := s.Load()
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "whole", all[0].ID)
	require.Len(t, swept, 3)
	require.NoFileExists(t, filepath.Join(lib, "whole", "container.json.tmp"))
	require.NoDirExists(t, filepath.Join(lib, "missing"))
	require.NoDirExists(t, filepath.Join(lib, "empty"))
}
