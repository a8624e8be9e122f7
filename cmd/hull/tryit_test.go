package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hull/stages"
	"hull/stages/explain"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// untried are the steps whose command this test does not run, and why.
var untried = map[string]string{
	"client.wait":             "it takes two terminals",
	"runc.init.console":       "it takes a terminal",
	"containerd.exit.forward": "it goes on until it is stopped",
	"runc.kill":               "it takes ten seconds",
	"containerd.restore":      "TestRestart kills the daemons",
	"daemon.restore":          "TestRestart kills the daemons",
	"shim.exit.record":        "TestRestart kills the daemons",
	"daemon.container.create": "TestRestart kills the daemons",
}

// TestTryIt runs what the explanations tell a student to try, with a container of its own in an instance of its own. Each command must say something,
// and nothing about a word that is not known. Those that need a program which is not here are left out.
func TestTryIt(t *testing.T) {
	e := up(t)
	id := strings.TrimSpace(e.ok("run", "-d", "--name", "tried", "busybox", "sleep", "1000"))
	pid := strings.TrimSpace(e.ok("inspect", "tried"))
	pid = regexp.MustCompile(`"Pid": (\d+)`).FindStringSubmatch(pid)[1]
	dir := e.aBundle()
	ran := 0
	for _, s := range stages.All() {
		script := command(explain.Text(s.ID))
		require.NotEmpty(t, script, s.Name)
		if untried[s.Name] != "" || !present(script) {
			continue
		}
		// What means "the container that you have started" means this one: other tests have their own on the same machine.
		script = strings.NewReplacer(
			"/run/hull", e.inst.Run, "$(pgrep -nx sleep)", pid, "pgrep -nx sleep", "echo "+pid, "$(pgrep -nx hull-shim)", shimOf(pid),
			"hull-HASH", "hull-"+e.inst.Hash(), "DIR", dir, " demo", " demo"+strconv.Itoa(os.Getpid()), "tasks rm ID", "tasks ls", "tasks start -d ID", "tasks ls", "ID ", id+" ", "ID/", id+"/",
		).Replace(script + "\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, "bash", "-c", script)
		cmd.Dir = t.TempDir()
		cmd.Env = append(probetest.ToolEnv(), "HULL_ROOT="+e.inst.Root)
		for i, v := range cmd.Env {
			if path, ok := strings.CutPrefix(v, "PATH="); ok {
				cmd.Env[i] = "PATH=" + bin + ":" + path
			}
		}
		cmd.WaitDelay = time.Second // of what it has left in the background
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		e.net.Run(cmd) // many end with an error on purpose: that is the lesson
		cancel()
		require.NotEmpty(t, strings.TrimSpace(out.String()), "%s says nothing:\n%s", s.Name, script)
		require.NotRegexp(t, `command not found|syntax error|unknown (flag|command|shorthand)|invalid option|unrecognized option|no such command`, out.String(), "%s:\n%s", s.Name, script)
		ran++
		for _, c := range strings.Fields(e.ok("ps", "-aq", "--no-trunc")) {
			if c != id {
				e.ok("rm", "-f", c)
			}
		}
	}
	e.ok("rm", "-f", "tried")
	exec.Command(filepath.Join(bin, "hull-runc"), "--root", e.inst.RuncRoot(), "delete", "--force", "demo"+strconv.Itoa(os.Getpid())).Run()
	require.Greater(t, ran, 35, "too many programs are missing here")
}

// command is an explanation's indented lines.
func command(text string) string {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if c, ok := strings.CutPrefix(line, "    "); ok {
			lines = append(lines, c)
		}
	}
	return strings.Join(lines, "\n")
}

// present reports whether the programs are there that not every machine has.
func present(script string) bool {
	for _, name := range []string{"jq", "strace", "curl", "xxd", "pstree", "python3", "runc", "ctr", "docker", "ss", "findmnt", "lsns", "nsenter", "unshare", "setpriv", "prlimit", "sysctl", "ip", "bridge", "nft"} {
		if regexp.MustCompile(`(^|[\s;|&(])` + name + `\s`).MatchString(script) {
			if _, err := exec.LookPath(name); err != nil {
				if _, err := os.Stat(filepath.Join(probetest.Tools(), "usr/bin", name)); err != nil {
					return false
				}
			}
		}
	}
	return true
}

func shimOf(pid string) string {
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	return regexp.MustCompile(`PPid:\s+(\d+)`).FindStringSubmatch(string(status))[1]
}

// aBundle is a bundle with busybox in it, for the runtime alone.
func (e *engine) aBundle() string {
	e.t.Helper()
	dir := filepath.Join(e.t.TempDir(), "bundle")
	spec := `{"ociVersion":"1.1.0","process":{"user":{"uid":0,"gid":0},"args":["sleep","1000"],"env":["PATH=/bin"],"cwd":"/"},"root":{"path":"rootfs"},` +
		`"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],"linux":{"namespaces":[{"type":"pid"},{"type":"mount"},{"type":"uts"},{"type":"ipc"}]}}`
	cmd := exec.Command(filepath.Join(bin, "hull-bundle"), "create")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(`{"bundle":%q,"spec":%s}`, dir, spec))
	out, err := cmd.CombinedOutput()
	require.NoError(e.t, err, string(out))
	require.NoError(e.t, os.Mkdir(filepath.Join(dir, "rootfs/bin"), 0o755))
	text, err := os.ReadFile(filepath.Join(probetest.Tools(), "bin/busybox"))
	require.NoError(e.t, err)
	require.NoError(e.t, os.WriteFile(filepath.Join(dir, "rootfs/bin/sleep"), text, 0o755))
	return dir
}
