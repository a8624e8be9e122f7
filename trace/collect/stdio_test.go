package collect

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestStreamOfAnyNumber: the shim's streams count whatever numbers they have, and its own three never do.
func TestStreamOfAnyNumber(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "out")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	for number, want := range map[int]string{2: "", 3: fifo, 9: fifo, 10: fifo, 12: fifo, 100: fifo, 129: fifo} {
		dir := t.TempDir()
		for _, own := range []string{"0", "1"} {
			require.NoError(t, os.Symlink(fifo, filepath.Join(dir, own)))
		}
		require.NoError(t, os.Symlink(fifo, filepath.Join(dir, strconv.Itoa(number))))
		held, err := streamIn(dir)
		require.NoError(t, err)
		require.Equal(t, want, held, "the only stream is number %d", number)
	}
}
