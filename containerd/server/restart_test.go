package server_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hull/containerd/containerdtest"
)

// hull-containerd may die at any moment: containers run on, and the next one finds them, or how they ended.
func TestRestart(t *testing.T) {
	for _, runtime := range containerdtest.Runtimes() {
		t.Run(runtime, func(t *testing.T) {
			c := containerdtest.StartOurs(t, nil)
			c.Runtime = runtime
			testRestart(t, c)
		})
	}
}

func testRestart(t *testing.T, c *containerdtest.Ours) {
	for _, id := range []string{"k1", "k2", "k3", "k4"} {
		c.Output("run", "-d", "--runtime", c.Runtime, "--log-uri", "file://"+c.Root+"/"+id, containerdtest.Image, id,
			"sh", "-c", "trap 'exit 23' TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done")
	}
	pid := map[string]int{}
	for _, id := range []string{"k1", "k2", "k3", "k4"} {
		pid[id] = pidOf(t, c, id)
		line(t, c.Root+"/"+id, 3)
	}
	c.Kill()
	// While it is away: k1 runs on, k2 ends by itself, k3's shim is killed; k4 runs on too. A fifth bundle was only half made.
	require.NoError(t, syscall.Kill(pid["k2"], syscall.SIGTERM))
	gone(t, pid["k2"])
	shim := shimOf(t, c, "k3")
	require.NoError(t, syscall.Kill(shim, syscall.SIGKILL))
	gone(t, shim)
	before := line(t, c.Root+"/k1", 3)
	line(t, c.Root+"/k1", before+10)
	halfMade := filepath.Join(c.Root, "run/tasks", c.Namespace(), "half")
	require.NoError(t, os.MkdirAll(halfMade+"/rootfs", 0o700))
	c.Start()

	require.Equal(t, pid["k1"], pidOf(t, c, "k1"), "the same process")
	require.Regexp(t, `k1\s+\d+\s+RUNNING`, c.Output("tasks", "ls"))
	require.Regexp(t, `k2\s+\d+\s+STOPPED`, c.Output("tasks", "ls"))
	require.Regexp(t, `k3\s+`+strconv.Itoa(pid["k3"])+`\s+STOPPED`, c.Output("tasks", "ls"))
	require.NoDirExists(t, halfMade)
	gone(t, pid["k3"])
	if c.Runtime == containerdtest.Runc { // hull-runc has no exec yet
		require.Equal(t, "in\n", c.Output("tasks", "exec", "--exec-id", "e", "k1", "echo", "in"))
	}
	require.Equal(t, 23, deleted(t, c, "k2"))
	require.Equal(t, 137, deleted(t, c, "k3"), "nobody saw its end: never 0")
	require.NoError(t, syscall.Kill(pid["k1"], syscall.SIGTERM))
	waitFor(t, c, `k1\s+\d+\s+STOPPED`)

	c.Stop() // a stopped task is found again as well
	c.Start()
	require.Equal(t, 23, deleted(t, c, "k1"))
	require.NoError(t, syscall.Kill(pid["k4"], syscall.SIGTERM))
	waitFor(t, c, `k4\s+\d+\s+STOPPED`)
	require.Equal(t, 23, deleted(t, c, "k4"))
	for _, id := range []string{"k1", "k2", "k3", "k4"} {
		c.Output("containers", "rm", id)
		whole(t, c.Root+"/"+id)
	}
}

// What can go wrong below hull-containerd.
func TestFailures(t *testing.T) {
	shims := t.TempDir()
	c := containerdtest.StartOurs(t, []string{shims})
	t.Run("bad shims", func(t *testing.T) { testBadShims(t, c.With(t), shims) })
	t.Run("second", func(t *testing.T) { testSecond(t, c.With(t)) })
	t.Run("missing binaries", func(t *testing.T) { testMissingBinaries(t, c.With(t)) })
}

// A shim that dies while hull-containerd lives: the container dies with it, and its exit is told once, before the task can be deleted.
func testShimDies(t *testing.T, c *containerdtest.Ours) {
	events := watchEvents(t, c)
	c.Output(append(run(c, "-d"), "s1", "sleep", "1000")...)
	pid := pidOf(t, c, "s1")
	require.NoError(t, syscall.Kill(shimOf(t, c, "s1"), syscall.SIGKILL))
	waitFor(t, c, `s1\s+`+strconv.Itoa(pid)+`\s+STOPPED`)
	gone(t, pid)
	_, said := c.Fail("tasks", "kill", "s1")
	require.Contains(t, said, "not found")
	require.Equal(t, 137, deleted(t, c, "s1"))
	c.Output("containers", "rm", "s1")
	var life []string
	for _, topic := range events() {
		if strings.HasPrefix(topic, "/tasks/") {
			life = append(life, topic)
		}
	}
	require.Equal(t, []string{"/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"}, life)
}

// Shims that do not keep the contract give an error that says so, and leave nothing.
func testBadShims(t *testing.T, c *containerdtest.Ours, dir string) {
	shims := map[string]struct{ script, want string }{
		"garbage":  {"printf '\\001\\002garbage'", "its answer is no address"},
		"nothing":  {"", "it answered nothing"},
		"fails":    {"echo broken pieces >&2; exit 3", "broken pieces"},
		"abstract": {"echo unix://@hull", "not unix:///PATH"},
		"newer":    {`echo '{"version":3,"address":"unix:///x","protocol":"ttrpc"}'`, "version 3"},
		"absent":   {"echo unix://" + dir + "/nobody", "no such file"},
	}
	for name, s := range shims {
		script := "#!/bin/sh\nfor a; do :; done\n[ $a = start ] || exit 0\n" + s.script + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, "containerd-shim-"+name+"-v1"), []byte(script), 0o755))
	}
	for name, s := range shims {
		_, said := c.Fail("run", "--rm", "--runtime", "test."+name+".v1", containerdtest.Image, "b", "true")
		require.Contains(t, said, s.want, name)
		left, err := filepath.Glob(c.Root + "/run/tasks/*/*")
		require.NoError(t, err)
		require.Empty(t, left, name)
	}
}

// The binaries taken away: the error names the one that is missing.
func testMissingBinaries(t *testing.T, c *containerdtest.Ours) {
	require.NoError(t, os.Remove(filepath.Join(c.Bin, "hull-bundle")))
	_, said := c.Fail(append(run(c, "--rm"), "m", "true")...)
	require.Contains(t, said, "hull-bundle")
	os.Remove(filepath.Join(c.Bin, "hull-shim"))
	_, said = c.Fail("run", "--rm", "--runtime", "io.containerd.hull.v2", containerdtest.Image, "m", "true")
	require.Contains(t, said, "hull-shim")
	require.Contains(t, said, "not found")
}

// One instance has one hull-containerd.
func testSecond(t *testing.T, c *containerdtest.Ours) {
	text, err := os.ReadFile(c.Root + "/run/hull-containerd.pid")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%d\n%s\n", c.PID(), c.Socket), string(text))
	code, said := c.Again()
	require.Equal(t, 1, code)
	require.Contains(t, said, "another process runs already, pid "+strconv.Itoa(c.PID()))
	for _, socket := range []string{c.Socket, c.Socket + ".ttrpc"} {
		info, err := os.Stat(socket)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

// shimOf is the pid of a container's serving shim.
func shimOf(t *testing.T, c *containerdtest.Ours, id string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, f := range files {
		line, _ := os.ReadFile(f)
		if args := string(line); strings.Contains(args, "\x00"+id+"\x00") && strings.Contains(args, c.Socket) && strings.Contains(args, "shim") {
			pid, err := strconv.Atoi(strings.Split(f, "/")[2])
			require.NoError(t, err)
			return pid
		}
	}
	t.Fatalf("no shim of %s", id)
	return 0
}

// gone polls until a process is no more, or a zombie.
func gone(t *testing.T, pid int) {
	t.Helper()
	for i := 0; ; i++ {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		require.Less(t, i, 500, "pid %d lives on", pid)
		time.Sleep(10 * time.Millisecond)
	}
}

// deleted deletes a stopped task and returns its exit code.
func deleted(t *testing.T, c *containerdtest.Ours, id string) int {
	t.Helper()
	out, err := c.Command("tasks", "rm", id).CombinedOutput()
	require.NoError(t, err, "%s", out)
	i := strings.LastIndex(string(out), "exit code ")
	require.Positive(t, i, "%s", out)
	code, err := strconv.Atoi(strings.Trim(string(out)[i+len("exit code "):], "\"\n "))
	require.NoError(t, err)
	return code
}

// line polls until a file has n lines, and returns how many it has.
func line(t *testing.T, path string, n int) int {
	t.Helper()
	for i := 0; ; i++ {
		text, _ := os.ReadFile(path)
		if got := strings.Count(string(text), "\n"); got >= n {
			return got
		}
		require.Less(t, i, 500, "%s never has %d lines: %s", path, n, text)
		time.Sleep(10 * time.Millisecond)
	}
}

// whole checks that a file holds the numbers from 0 on, none missing and none twice.
func whole(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		require.Equal(t, strconv.Itoa(n), lines.Text(), path)
	}
	require.Positive(t, n)
}
