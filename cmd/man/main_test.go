package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hull/client/cli"

	"github.com/stretchr/testify/require"
)

// TestPages: there is a page for each command, and where man(1) is installed it finds nothing to complain about.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, write(dir, cli.Tree()))
	pages, err := filepath.Glob(dir + "/*.1")
	require.NoError(t, err)
	require.Greater(t, len(pages), 30)
	run, err := os.ReadFile(dir + "/hull-run.1")
	require.NoError(t, err)
	require.Contains(t, string(run), ".SH NAME\nhull\\-run \\- Create and run a new container from an image\n")
	require.Contains(t, string(run), `\fB\-i\fR, \fB\-\-interactive\fR`)
	root, err := os.ReadFile(dir + "/hull.1")
	require.NoError(t, err)
	require.Contains(t, string(root), ".BR hull\\-run (1)\n")
	if man, err := exec.LookPath("groff"); err == nil {
		for _, page := range pages {
			said, err := exec.Command(man, "-k", "-man", "-Tutf8", "-ww", "-z", page).CombinedOutput()
			require.NoError(t, err)
			require.Empty(t, strings.TrimSpace(string(said)), page)
		}
	}
}
