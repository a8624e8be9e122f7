package runtime

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"hull/shim/reap"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// asRuntime makes the test's own program play the runtime: it says what it runs from and what it inherited.
const asRuntime = "HULL_TEST_AS_RUNTIME"

func TestMain(m *testing.M) {
	if os.Getenv(asRuntime) == "" {
		os.Exit(m.Run())
	}
	exe, _ := os.Readlink("/proc/self/exe")
	var fs unix.Statfs_t
	unix.Statfs("/proc/self/exe", &fs) // opening it for writing would be refused anyhow while it runs (ETXTBSY)
	_, fd := os.Stat(fmt.Sprintf("/proc/self/fd/%d", freeAbove))
	fmt.Println(filepath.Base(exe), os.Args[0], fs.Flags&unix.ST_RDONLY != 0, os.IsNotExist(fd))
}

// Our own runtime runs from a read-only mount under its own name and with its path as argv[0], and does not inherit the descriptor it was
// found through; another runtime is executed where it is.
func TestSealed(t *testing.T) {
	probetest.Need(t, "root")
	t.Setenv(asRuntime, "1")
	body, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	reaper := reap.New()
	for name, readOnly := range map[string]bool{"hull-runc": true, "runc": false} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, body, 0o755))
		link := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.Symlink(path, link))
		for _, path := range []string{path, link} {
			out, err := os.CreateTemp(dir, "out")
			require.NoError(t, err)
			r := &Runtime{Binary: path, Bundle: dir, Reaper: reaper}
			for range 2 { // the copy is made once and serves every call
				require.NoError(t, r.Run(context.Background(), Call{Verb: "state", Files: [2]*os.File{out, out}}))
			}
			text, err := io.ReadAll(io.NewSectionReader(out, 0, 1<<16))
			require.NoError(t, err)
			line := fmt.Sprintln(name, path, readOnly, true)
			require.Equal(t, line+line, string(text))
		}
	}
}
