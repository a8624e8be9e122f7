package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPIDFile: the lock decides who is alive, never the number.
func TestPIDFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pid")
	_, alive, err := lockHolder(file)
	require.NoError(t, err)
	require.False(t, alive, "no file")

	// A pid file that nobody holds, with the number of a living process in it: a reused pid. It must not be signalled.
	stranger := exec.Command("sleep", "1000")
	require.NoError(t, stranger.Start())
	t.Cleanup(func() { stranger.Process.Kill(); stranger.Wait() })
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "%d\n/addr\n", stranger.Process.Pid), 0o600))
	_, alive, err = lockHolder(file)
	require.NoError(t, err)
	require.False(t, alive)
	ended, err := endHolder(file, 1000)
	require.NoError(t, err)
	require.False(t, ended)
	require.NoError(t, stranger.Process.Signal(syscall.Signal(0)), "the stranger lives")

	// Now the process holds the lock: the descriptor is inherited, and with it the lock.
	f, err := os.Open(file)
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	holder := exec.Command("sleep", "1000")
	holder.ExtraFiles = []*os.File{f}
	require.NoError(t, holder.Start())
	f.Close()
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "%d\n/addr\n", holder.Process.Pid), 0o600))
	pid, alive, err := lockHolder(file)
	require.NoError(t, err)
	require.True(t, alive)
	require.Equal(t, holder.Process.Pid, pid)
	ended, err = endHolder(file, 60_000)
	require.NoError(t, err)
	require.True(t, ended)
	require.ErrorContains(t, holder.Wait(), "terminated")
}
