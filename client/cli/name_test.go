package cli

import (
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/stretchr/testify/require"
)

// TestReadName holds our reading of names against the library's that defines them.
func TestReadName(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, s := range []string{
		"busybox", "busybox:1", "library/busybox", "a/b", "a/b/c:tag", "localhost/x", "localhost:5000/x", "127.0.0.1:5000/x/y:1.2-3_4", "h.example/x@" + digest,
		"busybox:1@" + digest, "docker.io/x", "docker.io/library/x", "[::1]:5000/x",
	} {
		want, err := reference.ParseDockerRef(s)
		require.NoError(t, err, s)
		n, err := readName(s)
		require.NoError(t, err, s)
		require.Equal(t, want.String(), n.String(), s)
		require.Equal(t, reference.FamiliarName(want), n.repository(), s)
	}
	for _, s := range []string{"", "A", "a/B", "a:", ":a", "a//b", "a@sha256:12", "a b", "-a", "a/-b", "a:b c", "a:" + strings.Repeat("x", 129), "x@y"} {
		_, err := reference.ParseNormalizedNamed(s)
		require.Error(t, err, s)
		_, err = readName(s)
		require.ErrorContains(t, err, "invalid reference format", s)
	}
}
