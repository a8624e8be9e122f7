package command_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hull/containerd/containerdtest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestCtr drives the runtime with the real ctr, containerd and containerd-shim-runc-v2: the seam that any shim stands on.
func TestCtr(t *testing.T) {
	space := fmt.Sprintf("hrt%d", os.Getpid()) // ctr makes the cgroups' path of it: what is there is ours
	t.Setenv("CONTAINERD_NAMESPACE", space)
	c := containerdtest.Start(t)
	bin := hullRunc(t)
	flags := []string{"--runc-binary", bin, "--runc-root", c.Root + "/runc"}
	run := func(args ...string) (string, error) {
		out, err := c.Ctr(append(append([]string{"run", "--rm"}, flags...), args...)...)
		return strings.TrimSpace(out), err
	}
	sh := func(id, script string, more ...string) (string, error) {
		return run(append(more, containerdtest.Image, id, "sh", "-c", script)...)
	}
	like := func(t *testing.T, script string, more ...string) string {
		out, err := sh("ours", script, more...)
		require.NoError(t, err)
		theirs, err := c.Ctr(append(append([]string{"run", "--rm"}, more...), containerdtest.Image, "theirs", "sh", "-c", script)...)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(theirs), out, "as under Debian's runc")
		return out
	}

	t.Run("output and code", func(t *testing.T) {
		out, err := sh("echo", "echo hi; exit 7")
		require.Equal(t, "hi", out)
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 7, exit.ExitCode())
	})
	t.Run("rights", func(t *testing.T) {
		out := like(t, `grep -E '^(Cap|NoNew|Seccomp:|Uid|Gid|Groups|SigBlk)' /proc/self/status; ulimit -Sn; pwd; umask; env | sort`)
		require.Contains(t, out, "CapEff:\t00000000a80425fb")
	})
	t.Run("devices", func(t *testing.T) {
		like(t, `for d in null zero full random urandom; do head -c1 /dev/$d >/dev/null && echo $d; done; mknod /tmp/d b 1 1 && cat /tmp/d; ls /dev`)
	})
	t.Run("cwd", func(t *testing.T) {
		require.Equal(t, "/tmp/made/here", like(t, "pwd", "--cwd", "/tmp/made/here"))
	})
	t.Run("read-only root", func(t *testing.T) {
		require.Equal(t, "ro", like(t, "touch /x 2>/dev/null || echo ro", "--read-only"))
	})
	t.Run("bind mount", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(dir+"/f", []byte("host"), 0o644))
		require.Equal(t, "host\nro", like(t, "cat /m/f; echo; touch /m/x 2>/dev/null || echo ro", "--mount", "type=bind,src="+dir+",dst=/m,options=rbind:ro"))
	})
	t.Run("memory limit", func(t *testing.T) {
		out, err := sh("memory", "cat /cg/"+space+"/memory/memory.limit_in_bytes", "--memory-limit", "33554432", "--mount", "type=bind,src=/sys/fs/cgroup/memory,dst=/cg,options=rbind:ro")
		require.NoError(t, err)
		require.Equal(t, "33554432", out)
	})
	t.Run("seccomp", func(t *testing.T) {
		out := like(t, `grep -E '^(Seccomp:|NoNew)' /proc/self/status; unshare -U true 2>&1; true`, "--seccomp")
		require.Contains(t, out, "Seccomp:\t2")
	})
	t.Run("privileged", func(t *testing.T) {
		out, err := sh("privileged", "grep CapEff /proc/self/status", "--privileged")
		require.NoError(t, err) // what this machine does not grant is left out, with a warning
		require.Contains(t, out, "CapEff")
	})
	t.Run("host network", func(t *testing.T) {
		out, err := sh("hostnet", "readlink /proc/self/ns/net", "--net-host")
		require.NoError(t, err)
		require.Equal(t, link(t, "/proc/self/ns/net"), out)
	})
	t.Run("missing program", func(t *testing.T) {
		for program, want := range map[string]string{
			"nosuch": `exec: "nosuch": executable file not found in $PATH`, "/bin": `exec: "/bin": is a directory`, "/etc/passwd": `exec: "/etc/passwd": permission denied`,
		} {
			_, err := run(containerdtest.Image, "missing", program)
			require.ErrorContains(t, err, want)
		}
	})
	t.Run("terminal", func(t *testing.T) {
		master, slave := openPTY(t)
		cmd := c.Command(append(append([]string{"run", "--rm", "-t"}, flags...), containerdtest.Image, "tty", "sh", "-c",
			"tty; until stty size 2>/dev/null | grep '33 77'; do sleep 0.05; done")...) // ctr sets the size after the start
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		require.NoError(t, cmd.Start())
		slave.Close()
		var out bytes.Buffer
		io.Copy(&out, master) // ends with EIO when the other side is gone
		require.NoError(t, cmd.Wait(), out.String())
		require.Equal(t, "/dev/pts/0\n33 77\n", strings.ReplaceAll(out.String(), "\r", ""))
	})
	t.Run("hooks", func(t *testing.T) {
		b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"true"} })
		b.allHooks("", "")
		b.spec.Root.Path = b.bundle + "/rootfs"
		b.id("ctr")
		_, err := c.Ctr(append(append([]string{"run", "--rm"}, flags...), "--config", b.bundle+"/config.json", "hooks")...)
		require.NoError(t, err)
		seen := b.records()
		require.Equal(t, twice(hookKinds), names(seen))
		for _, r := range seen {
			require.Equal(t, "hooks", r.state.ID, r.name)
		}
	})
	t.Run("detached", func(t *testing.T) {
		ok := func(args ...string) string {
			t.Helper()
			out, err := c.Ctr(args...)
			require.NoError(t, err)
			return out
		}
		exits := func(code int, args ...string) (string, error) {
			t.Helper()
			out, err := c.Ctr(append([]string{"tasks", "exec", "--exec-id"}, args...)...)
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			require.Equal(t, code, exit.ExitCode())
			return out, err
		}
		ok(append(append([]string{"run", "-d", "--memory-limit", "33554432", "--cpus", "0.5"}, flags...), containerdtest.Image, "d", "sleep", "1000")...)
		require.Regexp(t, `d\s+\d+\s+RUNNING`, ok("tasks", "ls"))
		out, _ := exits(7, "e", "d", "sh", "-c", "echo in; cat /proc/1/comm; exit 7")
		require.Equal(t, "in\nsleep\n", out)
		out = ok("tasks", "exec", "--exec-id", "u", "--user", "1000", "--cwd", "/tmp", "d", "sh", "-c", "id -u; pwd; grep CapEff /proc/self/status")
		require.Equal(t, "1000\n/tmp\nCapEff:\t0000000000000000\n", out)
		_, err := exits(1, "m", "d", "nosuch")
		require.ErrorContains(t, err, `exec: "nosuch": executable file not found in $PATH`)

		// A process beside the first one: it is counted, seen, and ended alone.
		beside := c.Command("tasks", "exec", "--exec-id", "s", "d", "sleep", "2000")
		require.NoError(t, beside.Start())
		require.Eventually(t, func() bool { return strings.Count(ok("tasks", "ps", "d"), "\n") == 3 }, 20*time.Second, 50*time.Millisecond)
		metrics := ok("tasks", "metrics", "--format", "json", "d") // containerd reads the groups of the first process
		require.Regexp(t, `"pids": \{[^}]*"current": 2\b`, metrics)
		require.Contains(t, metrics, `33554432`)
		_, err = c.Ctr("tasks", "kill", "--exec-id", "s", "-s", "SIGTERM", "d")
		require.NoError(t, err)
		require.Error(t, beside.Wait())
		require.Equal(t, 143, beside.ProcessState.ExitCode())

		for _, row := range [][2]string{{"pause", "PAUSED"}, {"resume", "RUNNING"}, {"pause", "PAUSED"}} {
			ok("tasks", row[0], "d")
			require.Regexp(t, `d\s+\d+\s+`+row[1], ok("tasks", "ls"))
		}
		ok("tasks", "kill", "-s", "SIGKILL", "d") // also of one that is paused
		_, err = c.Ctr("tasks", "rm", "-f", "d")
		if err != nil { // it may not be reaped yet at the kill's return; -f says so by its own words
			require.ErrorContains(t, err, "not found")
		}
		ok("containers", "rm", "d")
	})
	t.Run("terminal of exec", func(t *testing.T) {
		_, err := c.Ctr(append(append([]string{"run", "-d"}, flags...), containerdtest.Image, "x", "sleep", "1000")...)
		require.NoError(t, err)
		master, slave := openPTY(t)
		cmd := c.Command("tasks", "exec", "-t", "--exec-id", "t", "x", "sh", "-c", "tty; until stty size 2>/dev/null | grep '33 77'; do sleep 0.05; done; exit 5")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		require.NoError(t, cmd.Start())
		slave.Close()
		var out bytes.Buffer
		io.Copy(&out, master)
		require.Error(t, cmd.Wait())
		require.Equal(t, 5, cmd.ProcessState.ExitCode(), out.String())
		require.Equal(t, "/dev/pts/0\n33 77\n", strings.ReplaceAll(out.String(), "\r", ""))
		_, err = c.Ctr("tasks", "rm", "-f", "x")
		require.NoError(t, err)
		_, err = c.Ctr("containers", "rm", "x")
		require.NoError(t, err)
	})

	require.Empty(t, states(c.Root+"/runc/"+space), "states are left")
	groups, err := filepath.Glob("/sys/fs/cgroup/*/" + space)
	require.NoError(t, err)
	require.NotEmpty(t, groups)
	for _, g := range groups {
		require.NoError(t, os.Remove(g), "a cgroup is left in it")
	}
}

func openPTY(t *testing.T) (master, slave *os.File) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 77}))
	return master, slave
}
