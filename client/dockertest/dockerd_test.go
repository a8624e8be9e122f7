package dockertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hull/containerd/imagetest"
)

// TestStart holds the harness itself: the real client runs a container on the real daemon.
func TestStart(t *testing.T) {
	d := Start(t)
	_, err := d.Docker("load", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
	require.NoError(t, err)
	out, err := d.Docker("run", "--rm", "--network", "none", "busybox", "echo", "hi")
	require.NoError(t, err)
	require.Equal(t, "hi\n", out)
}
