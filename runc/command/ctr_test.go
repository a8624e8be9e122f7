package command_test

import (
	"strings"
	"testing"

	"hull/containerd/containerdtest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// TestCtr drives the runtime with the real ctr, containerd and containerd-shim-runc-v2: the seam that any shim stands on.
func TestCtr(t *testing.T) {
	c := containerdtest.Start(t)
	bin := probetest.Build(t, "hull-runc")
	run := func(args ...string) (string, error) {
		out, err := c.Ctr(append([]string{"run", "--rm", "--runc-binary", bin, "--runc-root", c.Root + "/runc"}, args...)...)
		return strings.TrimSpace(out), err
	}
	sh := func(id, script string, flags ...string) (string, error) {
		return run(append(flags, containerdtest.Image, id, "sh", "-c", script)...)
	}

	out, err := sh("echo", "echo hi")
	require.NoError(t, err)
	require.Equal(t, "hi", out)
}
