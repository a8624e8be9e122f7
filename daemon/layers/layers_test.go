package layers_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"hull/daemon/layers"
	"hull/stages/probetest"

	"github.com/containerd/containerd/api/types"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Each case is built from real layers and read by the stack and, as the oracle, through a real overlay mount.
func TestReadsWhatTheKernelWouldShow(t *testing.T) {
	probetest.Need(t, "root")
	dir := t.TempDir()
	low, mid, up, work, merged := filepath.Join(dir, "low"), filepath.Join(dir, "mid"), filepath.Join(dir, "up"), filepath.Join(dir, "work"), filepath.Join(dir, "merged")
	for _, d := range []string{low + "/etc", low + "/gone", low + "/opaque", mid + "/usr", mid + "/opaque", mid + "/etc", up, work, merged} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	write := func(path, text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o644)) }
	write(low+"/etc/passwd", "low")
	write(low+"/etc/hidden", "low")
	write(low+"/gone/file", "low")
	write(low+"/opaque/file", "low")
	write(low+"/etc/group", "low")
	write(mid+"/usr/group", "mid")
	require.NoError(t, os.Symlink("/usr/group", mid+"/etc/group"))
	require.NoError(t, os.Symlink("../../../../etc/passwd", mid+"/etc/up"))
	require.NoError(t, os.Symlink("loop", mid+"/etc/loop"))
	require.NoError(t, os.Symlink("etc", mid+"/conf"))
	require.NoError(t, unix.Mknod(mid+"/etc/hidden", unix.S_IFCHR, 0))
	require.NoError(t, unix.Mknod(mid+"/gone", unix.S_IFCHR, 0))
	require.NoError(t, unix.Setxattr(mid+"/opaque", "trusted.overlay.opaque", []byte("y"), 0))

	options := "lowerdir=" + mid + ":" + low + ",upperdir=" + up + ",workdir=" + work
	require.NoError(t, unix.Mount("overlay", merged, "overlay", 0, options))
	defer unix.Unmount(merged, 0)

	s, err := layers.Open([]*types.Mount{{Type: "overlay", Options: []string{"workdir=" + work, "upperdir=" + up, "lowerdir=" + mid + ":" + low}}})
	require.NoError(t, err)
	defer s.Close()
	root, err := os.OpenRoot(merged)
	require.NoError(t, err)
	defer root.Close()
	for _, name := range []string{
		"etc/passwd", "etc/hidden", "gone/file", "opaque/file", "conf/passwd", "etc", "etc/passwd/x", "none", "etc/loop",
	} {
		want, wantErr := root.ReadFile(name)
		f, err := s.Read(name)
		if wantErr != nil {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		got, err := io.ReadAll(f)
		f.Close()
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), name)
	}
	// Links with a leading slash or too many dots end inside the image, as they would after pivot_root.
	for name, want := range map[string]string{"etc/group": "mid", "etc/up": "low"} {
		f, err := s.Read(name)
		require.NoError(t, err, name)
		got, _ := io.ReadAll(f)
		f.Close()
		require.Equal(t, want, string(got), name)
	}
}
