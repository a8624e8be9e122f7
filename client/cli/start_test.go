package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"hull/stages/probetest"
)

// TestStartIsLight holds what a start of the client costs in page faults, which repeat where milliseconds do not: an empty Go program has
// 175 to 200, docker's client 1,600. How many threads the Go runtime happens to start moves the number by 30, so the least of some runs
// is taken. The socket is not there: all that is measured is ours.
func TestStartIsLight(t *testing.T) {
	hull := probetest.Build(t, "hull")
	var faults []int64
	for range 10 {
		cmd := exec.Command(hull, "-H", "unix://"+t.TempDir()+"/none.sock", "version")
		require.Error(t, cmd.Run())
		faults = append(faults, cmd.ProcessState.SysUsage().(*syscall.Rusage).Minflt)
	}
	require.LessOrEqual(t, slices.Min(faults), int64(300), "minor page faults of ten starts: %v", faults)
}

// TestUpSaysWhy: hulld that ends at once is told with the last line of its log, and nothing waits for it.
func TestUpSaysWhy(t *testing.T) {
	dir := t.TempDir()
	hull := filepath.Join(dir, "hull")
	require.NoError(t, os.Rename(probetest.Build(t, "hull"), hull))
	up := func() string {
		text, err := exec.Command(hull, "--root", dir+"/root", "up").CombinedOutput()
		require.Error(t, err)
		require.Equal(t, 1, strings.Count(string(text), "\n"), "one line: %s", text)
		return string(text)
	}
	require.Contains(t, up(), "hulld: not beside hull and not in PATH")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hulld"), []byte("#!/bin/sh\necho no such luck >&2\nexit 1\n"), 0o755))
	require.Contains(t, up(), "hulld: it ended at once: no such luck (its whole log: "+dir+"/root/lib/hulld.log)")
}
