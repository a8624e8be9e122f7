package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hull/daemon/network/networktest"
	"hull/stages/instance"
	"hull/stages/probetest"
)

// TestHulld brings a whole instance of ours up, holds it against the same transcripts as dockerd, and takes it down again.
func TestHulld(t *testing.T) {
	probetest.Need(t, "root", "peers")
	bin, root := t.TempDir(), t.TempDir()
	args := []string{"build", "-trimpath", "-o", bin + "/"}
	for _, name := range []string{"hull", "hulld", "hull-containerd", "hull-bundle", "hull-shim", "hull-runc", "hull-trace"} {
		args = append(args, "./cmd/"+name)
	}
	build := exec.Command("go", args...)
	build.Dir, build.Env = probetest.Root(), append(os.Environ(), "CGO_ENABLED=0")
	text, err := build.CombinedOutput()
	require.NoError(t, err, "%s", text)

	net := networktest.New(t) // the machine's own stays as it is
	hull := func(args ...string) (string, error) {
		var out bytes.Buffer
		cmd := exec.Command(bin+"/hull", append([]string{"--root", root}, args...)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		err := net.Run(cmd)
		return out.String(), err
	}
	inst, err := instance.At(root)
	require.NoError(t, err)
	out, err := hull("up")
	require.NoError(t, err, out)
	t.Cleanup(func() { hull("down") })
	require.Equal(t, "unix://"+inst.APISocket()+"\n", out)
	out, err = hull("status")
	require.NoError(t, err, out)
	require.Equal(t, 3, strings.Count(out, " running "), out)
	out, err = hull("up")
	require.NoError(t, err, out)
	require.Contains(t, out, "hulld runs already")

	everything(t, "hulld", inst.APISocket())

	// A container that runs survives down --keep, is found again by up, and is stopped by down.
	out, err = hull("run", "-d", "--name", "kept", "busybox", "sleep", "1000")
	require.NoError(t, err, out)
	out, err = hull("down", "--keep")
	require.NoError(t, err, out)
	_, err = hull("status")
	require.Error(t, err)
	out, err = hull("up")
	require.NoError(t, err, out)
	out, err = hull("ps")
	require.NoError(t, err, out)
	require.Regexp(t, `Up .* kept\n`, out)
	out, err = hull("down")
	require.NoError(t, err, out)
	require.Equal(t, "hulld\nhull-containerd\nhull-trace\n", out)

	// Nothing of the instance is left: no process with its root on the command line, no mount, no socket, no cgroup.
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range lines {
		line, _ := os.ReadFile(f)
		require.NotContains(t, string(line), root, f)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), root)
	for _, pattern := range []string{inst.Run + "/*.sock*", inst.Run + "/*.pid", "/sys/fs/cgroup" + inst.CgroupParent(), "/sys/fs/cgroup/*" + inst.CgroupParent()} {
		left, _ := filepath.Glob(pattern)
		require.Empty(t, left)
	}
}
