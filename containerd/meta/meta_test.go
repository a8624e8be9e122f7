package meta_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hull/containerd/meta"
	"hull/stages"
)

func TestTwoFiles(t *testing.T) {
	dir := t.TempDir()
	lib, run := filepath.Join(dir, "lib.db"), filepath.Join(dir, "run.db")
	db, err := meta.Open(lib, run)
	require.NoError(t, err)
	table := meta.JSON[string](db, "thing")
	require.NoError(t, table.Create("n", "durable", "d", false))
	before, err := os.ReadFile(lib)
	require.NoError(t, err)
	require.NoError(t, table.Create("n", "volatile", "v", true))
	_, err = table.Update("n", "volatile", func(string) (string, error) { return "w", nil })
	require.NoError(t, err)
	after, err := os.ReadFile(lib)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after), "a volatile record touches only its own file")

	for _, volatile := range []bool{true, false} {
		for _, key := range []string{"durable", "volatile"} {
			require.Equal(t, stages.Conflict, stages.KindOf(table.Create("n", key, "x", volatile)), "one name, whichever file it is in")
		}
	}
	require.Equal(t, stages.Invalid, stages.KindOf(table.Create("n", strings.Repeat("k", meta.MaxKey+1), "x", false)))
	require.Equal(t, stages.Invalid, stages.KindOf(table.Create("n", "", "x", false)))
	_, err = meta.Open(lib, run)
	require.ErrorContains(t, err, "another hull-containerd")
	require.NoError(t, db.Close())

	db, err = meta.Open(lib, run)
	require.NoError(t, err)
	defer db.Close()
	table = meta.JSON[string](db, "thing")
	all, err := table.List("n", nil)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"d", "w"}, all)
	require.Equal(t, stages.Conflict, stages.KindOf(db.RemoveNamespace("n")))
	for _, key := range []string{"durable", "volatile"} {
		_, err := table.Delete("n", key)
		require.NoError(t, err)
		_, err = table.Get("n", key)
		require.Equal(t, stages.NotFound, stages.KindOf(err))
	}
	require.NoError(t, db.RemoveNamespace("n"))
	require.Equal(t, stages.NotFound, stages.KindOf(db.RemoveNamespace("n")))
}
