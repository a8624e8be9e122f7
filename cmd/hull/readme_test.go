package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hull/daemon/network/networktest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// TestQuickStart types the README's first commands at a terminal, each as it stands there, in a private root and a network of its own.
func TestQuickStart(t *testing.T) {
	probetest.Need(t, "root", "docker", "tmux")
	shipDemo(t)
	e := private(t, bin, networktest.New(t))
	tm := openTmux(e, "160", "50")
	tm.prompts()
	docker, err := exec.LookPath("docker")
	require.NoError(t, err)
	tm.types("cd "+t.TempDir()+"; PATH=$PATH:"+filepath.Dir(docker), "Enter")

	// What is done at the terminal before the command ends, and what is looked at then.
	during := map[string]func(){
		"run --rm -it": func() {
			tm.types("clear; echo inside-$((1+1))", "Enter")
			tm.sees("inside-2")
			tm.types("exit", "Enter")
		},
		"--step": func() {
			tm.shows("client.command")
			tm.types("Enter")
			tm.shows("client.payload")
			tm.types("c", "Enter")
		},
		"demo restart": func() {
			for _, act := range []string{"1/6", "2/6", "3/6", "4/6", "5/6", "6/6"} {
				tm.shows(act + "  ")
				tm.types("Space")
			}
		},
	}
	after := map[string]func(){
		"--trace-out": func() { tm.types("clear; ls run.html", "Enter"); tm.sees("run.html") },
		"run -d":      func() { require.Len(t, strings.Fields(e.ok("ps", "-q")), 1) },
		"docker":      func() { require.Contains(t, tm.tmux("capture-pane", "-p"), "0.0.0.0:8080->80/tcp") },
	}
	for _, line := range quickStart(t) {
		command := strings.NewReplacer("IMAGE", "hull/tiny sleep 1000", "unix:///run/hull/hull.sock", "unix://"+e.inst.APISocket()).Replace(line)
		tm.prompts()
		tm.types("clear", "Enter")
		tm.prompts()
		tm.types(command, "Enter")
		for part, do := range during {
			if strings.Contains(line, part) {
				do()
			}
		}
		tm.prompts()
		for part, look := range after {
			if strings.Contains(line, part) {
				look()
			}
		}
		tm.prompts()
		tm.types("echo code-$?", "Enter")
		tm.sees("code-0")
	}
	require.Empty(t, e.processes("hulld"), "hull down is the last line")
	e.ok("up")
	e.ok(append([]string{"rm", "-f"}, strings.Fields(e.ok("ps", "-aq"))...)...) // it was stopped, and stays until it is removed
}

// quickStart is the block that a newcomer types after the first two commands, without its first line, which builds.
func quickStart(t *testing.T) (commands []string) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, block, ok := strings.Cut(string(text), "Then, for yourself:\n\n    make build && export PATH=$PWD/bin:$PATH\n")
	require.True(t, ok)
	block, _, _ = strings.Cut(block, "\n\n")
	for _, line := range strings.Split(block, "\n") {
		commands = append(commands, strings.TrimSpace(regexp.MustCompile(` {2,}#.*$`).ReplaceAllString(line, "")))
	}
	require.Greater(t, len(commands), 8)
	return commands
}
