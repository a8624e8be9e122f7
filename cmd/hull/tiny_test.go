package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShippedImage: hull/tiny is there without a load and without a registry; its shell, its tools and its programs for lessons do in a
// container what they are for.
func TestShippedImage(t *testing.T) {
	e := up(t)
	ship(t)
	_, text, code := e.run("run", "--rm", "--network", "none", "hull/other", "true")
	require.Equal(t, 125, code, "only hull/tiny comes with hull")
	require.Contains(t, text, "hull/other")

	run := func(args ...string) (string, string, int) {
		return e.run(append([]string{"run", "--rm", "--network", "none", "-h", "box"}, args...)...)
	}
	for _, c := range []struct {
		flags, command string
		want           string // standard output, without the last newline
		code           int
	}{
		{"", "sh -c|for i in 1 2 3; do echo $((i * i)); done | tail -n 1", "9", 0},
		{"", "sh -c|ls / | sort | tr '\\n' ' '", "bin dev etc proc root run sys tmp var", 0},
		{"", "sh -c|echo b a | tr ' ' '\\n' | sort | head -n 1; exit 5", "a", 5},
		{"", "sh -c|echo one > /tmp/f; cp /tmp/f /tmp/g; mv /tmp/g /tmp/h; cat /tmp/h; wc -l /tmp/h; rm /tmp/h; ls /tmp", "one\n1 /tmp/h\nf", 0},
		{"", "hostname", "box", 0},
		{"-u 1000", "sh -c|id -u", "1000", 0},
		{"-e A=b", "sh -c|env | grep ^A=", "A=b", 0},
		{"", "env -i B=c /bin/env", "B=c", 0},
		{"", "sh -c|ps | wc -l", "", 0},
		{"", "sh -c|ip addr | grep -c 127.0.0.1", "1", 0},
		{"", "sh -c|mount | grep -c overlay", "1", 0},
		{"", "sh -c|ns | grep -c uts:", "1", 0},
		{"", "exit 7", "", 7},
		{"--pids-limit 20", "sh -c|forks 100 | wc -l > /tmp/n; test $(cat /tmp/n) -lt 20 && echo refused", "refused", 0},
		{"-m 32m", "eat 100", "", 137},
		{"", "nosuch", "", 127},
	} {
		args := append(strings.Fields(c.flags), "hull/tiny")
		words, script, isScript := strings.Cut(c.command, "|")
		if args = append(args, strings.Fields(words)...); isScript && strings.HasPrefix(words, "sh -c") {
			args = append(args, script)
		}
		out, text, code := run(args...)
		require.Equal(t, c.code, code, "%s: %s%s", c.command, out, text)
		if c.want != "" {
			require.Equal(t, c.want, strings.TrimSpace(out), c.command)
		}
	}

	// trap, as the first process of its pid namespace: what reaches it is what it asked for.
	id := strings.TrimSpace(e.ok("run", "-d", "--network", "none", "hull/tiny", "trap", "TERM"))
	e.until("it waits", func() bool { return strings.Contains(e.ok("logs", id), "waits for signals") })
	e.ok("stop", id)
	require.Contains(t, e.ok("logs", id), "SIGTERM\n")
	e.ok("rm", id)

	// The clock of the restart demonstration counts without a gap.
	id = strings.TrimSpace(e.ok("run", "-d", "--network", "none", "hull/tiny", "clock", "10ms"))
	e.until("it has counted to 3", func() bool { return strings.Contains(e.ok("logs", id), "\n3 ") })
	e.ok("rm", "-f", id)
}

// ship has the image made, unless it is there already, and puts it beside the binaries of the tests.
func ship(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(bin, "tiny.tar")); err == nil {
		return
	}
	top, err := filepath.Abs("../..")
	require.NoError(t, err)
	out, err := exec.Command("make", "-C", top, "bin/tiny.tar").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink(filepath.Join(top, "bin/tiny.tar"), filepath.Join(bin, "tiny.tar")))
}
