package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"hull/stages/instance"
)

// TestPIDFile: the lock decides who is alive, never the number.
func TestPIDFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pid")
	_, alive, err := instance.Holder(file)
	require.NoError(t, err)
	require.False(t, alive, "no file")

	// A pid file that nobody holds, with the number of a living process in it: a reused pid. It must not be signalled.
	stranger := exec.Command("sleep", "1000")
	require.NoError(t, stranger.Start())
	t.Cleanup(func() { stranger.Process.Kill(); stranger.Wait() })
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "%d\n/addr\n", stranger.Process.Pid), 0o600))
	_, alive, err = instance.Holder(file)
	require.NoError(t, err)
	require.False(t, alive)
	ended, err := endHolder(file, 1000)
	require.NoError(t, err)
	require.False(t, ended)
	require.NoError(t, stranger.Process.Signal(syscall.Signal(0)), "the stranger lives")

	// Now the process holds the lock: the descriptor is inherited, and with it the lock.
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}))
	holder := exec.Command("sleep", "1000")
	holder.ExtraFiles = []*os.File{f}
	require.NoError(t, holder.Start())
	f.Close()
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "%d\n/addr\n", holder.Process.Pid), 0o600))
	pid, alive, err := instance.Holder(file)
	require.NoError(t, err)
	require.True(t, alive)
	require.Equal(t, holder.Process.Pid, pid)
	ended, err = endHolder(file, 60_000)
	require.NoError(t, err)
	require.True(t, ended)
	require.ErrorContains(t, holder.Wait(), "terminated")
}
