package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// TestDemoRestart performs the show without a terminal: each act checks what it claims, so that what remains is the order and the last word. It
// leaves no process and no directory.
func TestDemoRestart(t *testing.T) {
	probetest.Need(t, "root")
	shipDemo(t)
	tmp := t.TempDir()
	show := func(args ...string) string {
		t.Helper()
		c := exec.Command(filepath.Join(bin, "hull"), append([]string{"demo", "restart"}, args...)...)
		c.Env = append(os.Environ(), "TMPDIR="+tmp)
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}

	record := filepath.Join(t.TempDir(), "show")
	text := show("--record", record)
	require.Contains(t, text, "demo restart: hulld killed, hull-containerd killed, the container ran on, no gap; the shim killed, the container died with it\n")
	acts := regexp.MustCompile(`(?m)^(\d)/6  (.*)$`).FindAllStringSubmatch(text, -1)
	require.Len(t, acts, 6)
	pictures := strings.Split(text, "/6  ")
	require.Contains(t, pictures[3], "dead: hulld ", "after hull-containerd's end")
	require.Regexp(t, `(?m)└─ hull-shim \d+\n\s+└─ clock`, pictures[3], "the container is below the shim while both daemons are dead")
	require.NotContains(t, pictures[4], "dead:", "hull up brought both back")

	replayed := show("--replay", record)
	require.Equal(t, strings.Count(text, "/6  "), strings.Count(replayed, "/6  "), "a recording shows every act")

	text = show("--without", "shim")
	require.Contains(t, text, "the container fell to another parent and died at its next write, its exit status is lost")
	pictures = strings.Split(text, "/3  ")
	require.Regexp(t, `(?m)└─ hull-demo supervise \d+\n\s+└─ clock`, pictures[1])
	require.NotRegexp(t, `(?m)hull-demo supervise \d+\n\s+└─ clock`, pictures[2])

	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)

	_, err = exec.Command(filepath.Join(bin, "hull"), "demo", "restart", "--without", "daemon").Output()
	require.Error(t, err)
	broken := filepath.Join(t.TempDir(), "broken")
	text1, err := json.Marshal("no frame")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(broken, text1, 0o600))
	out, err := exec.Command(filepath.Join(bin, "hull"), "demo", "restart", "--replay", broken).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "is no recording")
}

// shipDemo puts `hull demo`, and the image that it shows, beside the binaries of the tests.
func shipDemo(t *testing.T) {
	t.Helper()
	ship(t)
	out, err := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(bin, "hull-demo"), "hull/cmd/hull-demo").CombinedOutput()
	require.NoError(t, err, "%s", out)
}
