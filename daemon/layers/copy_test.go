package layers_test

import (
	"os"
	"path/filepath"
	"testing"

	"hull/daemon/layers"
	"hull/stages/probetest"

	"github.com/containerd/containerd/api/types"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestCopyTo copies a directory of two layers: what the upper hides is not there, owners, modes and links are as they were, and no link of
// the image leads out of it.
func TestCopyTo(t *testing.T) {
	probetest.Need(t, "root")
	lower, upper, out := t.TempDir(), t.TempDir(), t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("the host's"), 0o600))
	write := func(root, name, text string, mode os.FileMode) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
	}
	write(lower, "data/kept", "lower", 0o640)
	write(lower, "data/changed", "lower", 0o644)
	write(lower, "data/removed", "lower", 0o644)
	write(lower, "data/opaque/old", "lower", 0o644)
	write(lower, "data/sub/deep", "lower", os.ModeSetuid|0o755)
	write(upper, "data/changed", "upper", 0o600)
	write(upper, "data/opaque/new", "upper", 0o644)
	require.NoError(t, os.Chown(filepath.Join(lower, "data"), 7, 8))
	require.NoError(t, os.Chown(filepath.Join(upper, "data"), 7, 8))
	require.NoError(t, os.Chmod(filepath.Join(upper, "data"), 0o711))
	require.NoError(t, unix.Mknod(filepath.Join(upper, "data/removed"), unix.S_IFCHR, 0))
	require.NoError(t, unix.Setxattr(filepath.Join(upper, "data/opaque"), "trusted.overlay.opaque", []byte("y"), 0))
	require.NoError(t, os.Symlink(secret, filepath.Join(lower, "data/link")))
	require.NoError(t, unix.Mkfifo(filepath.Join(lower, "data/fifo"), 0o600))
	require.NoError(t, os.Symlink("/data", filepath.Join(lower, "alias")))
	require.NoError(t, os.Symlink("../../../../"+filepath.Dir(secret), filepath.Join(lower, "away")))

	s, err := layers.Open([]*types.Mount{{Type: "overlay", Options: []string{"upperdir=" + upper, "lowerdir=" + lower}}})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.CopyTo(out, "/alias"))

	var found []string
	require.NoError(t, filepath.WalkDir(out, func(path string, _ os.DirEntry, err error) error {
		found = append(found, path[len(out):])
		return err
	}))
	require.Equal(t, []string{"", "/changed", "/fifo", "/kept", "/link", "/opaque", "/opaque/new", "/sub", "/sub/deep"}, found)
	for name, text := range map[string]string{"changed": "upper", "kept": "lower", "sub/deep": "lower"} {
		got, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		require.Equal(t, text, string(got), name)
	}
	var st unix.Stat_t
	require.NoError(t, unix.Stat(out, &st))
	require.Equal(t, [3]uint32{7, 8, 0o711}, [3]uint32{st.Uid, st.Gid, st.Mode & 0o7777})
	require.NoError(t, unix.Stat(filepath.Join(out, "sub/deep"), &st))
	require.EqualValues(t, 0o4755, st.Mode&0o7777)
	target, err := os.Readlink(filepath.Join(out, "link"))
	require.NoError(t, err)
	require.Equal(t, secret, target, "a link is copied as it is, and not followed")

	empty := t.TempDir()
	require.NoError(t, s.CopyTo(empty, "/nosuch"))
	require.NoError(t, s.CopyTo(empty, "/away"), "out of the image there is nothing")
	left, err := os.ReadDir(empty)
	require.NoError(t, err)
	require.Empty(t, left)
	require.ErrorIs(t, s.CopyTo(empty, "/data/kept"), unix.ENOTDIR)
}
