package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hull/containerd/containerdtest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

const runtimeName = "io.containerd.hull.v2"

// install builds hull-shim into a directory and links it under the name a real containerd looks for.
func install(t *testing.T) (dir string) {
	t.Helper()
	shim := probetest.Build(t, "hull-shim")
	dir = filepath.Dir(shim)
	require.NoError(t, os.Symlink("hull-shim", filepath.Join(dir, "containerd-shim-hull-v2")))
	return dir
}

// The real containerd and ctr drive our shim, which drives the real runc.
func TestUnderRealContainerd(t *testing.T) {
	dir := install(t)
	c := containerdtest.Start(t, dir)
	run := func(args ...string) (string, error) {
		return c.Ctr(append([]string{"run", "--rm", "--runtime", runtimeName, containerdtest.Image}, args...)...)
	}
	t.Run("output", func(t *testing.T) {
		out, err := run("echo", "echo", "hi")
		require.NoError(t, err)
		require.Equal(t, "hi\n", out)
	})
	t.Run("exit code", func(t *testing.T) {
		_, err := run("code", "sh", "-c", "exit 42")
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 42, exit.ExitCode())
	})
	t.Run("signal", func(t *testing.T) {
		_, err := run("signal", "sh", "-c", "(sleep 0.2; kill -15 1) & trap 'exit 143' TERM; wait; wait")
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 143, exit.ExitCode())
	})
}
