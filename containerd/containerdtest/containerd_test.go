package containerdtest_test

import (
	"testing"

	"hull/containerd/containerdtest"

	"github.com/stretchr/testify/require"
)

// The foreign parts alone must work here before ours are held against them.
func TestRealPartsWork(t *testing.T) {
	c := containerdtest.Start(t)
	out, err := c.Ctr("run", "--rm", containerdtest.Image, "plain", "echo", "hi")
	require.NoError(t, err)
	require.Equal(t, "hi\n", out)
}
