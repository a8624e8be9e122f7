package command_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hull/containerd/containerdtest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const runtimeName = "io.containerd.hull.v2"

// install builds hull-shim into a directory and links it under the name a real containerd looks for.
func install(t *testing.T) (dir string) {
	t.Helper()
	shim := probetest.Build(t, "hull-shim")
	dir = filepath.Dir(shim)
	require.NoError(t, os.Symlink("hull-shim", filepath.Join(dir, "containerd-shim-hull-v2")))
	return dir
}

// A rig is a real containerd whose shim is ours.
type rig struct {
	*containerdtest.Containerd
	t    *testing.T
	shim string
}

func newRig(t *testing.T) *rig {
	dir := install(t)
	return &rig{containerdtest.Start(t, dir), t, filepath.Join(dir, "hull-shim")}
}

func (r *rig) run(flags []string, id string, args ...string) (string, error) {
	all := append(append([]string{"run", "--runtime", runtimeName}, flags...), containerdtest.Image, id)
	return r.Ctr(append(all, args...)...)
}

func (r *rig) must(args ...string) string {
	r.t.Helper()
	out, err := r.Ctr(args...)
	require.NoError(r.t, err)
	return out
}

func (r *rig) bundle(id string) string {
	return filepath.Join(r.Root, "run/io.containerd.runtime.v2.task/default", id)
}

// pid is the number in one of the bundle's files.
func (r *rig) pid(id, file string) int {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.bundle(id), file))
	require.NoError(r.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	require.NoError(r.t, err)
	return pid
}

// until polls for a state that a foreign program brings about.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	r.t.Fatalf("never happened: %s", what)
}

func (r *rig) status(id string) string {
	out, err := r.Ctr("tasks", "ls")
	require.NoError(r.t, err)
	m := regexp.MustCompile(`(?m)^` + id + `\s+\d+\s+(\w+)`).FindStringSubmatch(out)
	if m == nil {
		return ""
	}
	return m[1]
}

// remove deletes a task; ctr mentions its exit code in a warning.
func (r *rig) remove(id string) string {
	r.t.Helper()
	text, err := r.Command("tasks", "rm", id).CombinedOutput()
	require.NoError(r.t, err)
	m := regexp.MustCompile(`exit code (\d+)`).FindSubmatch(text)
	require.NotNil(r.t, m, "%s", text)
	return string(m[1])
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return exit.ExitCode()
}

func field(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^` + name + `:\s+(\S+)`).FindSubmatch(b)
	require.NotNil(t, m)
	return string(m[1])
}

// The real containerd and ctr drive our shim, which drives the real runc.
func TestUnderRealContainerd(t *testing.T) {
	r := newRig(t)
	t.Run("output and exit code", func(t *testing.T) {
		out, err := r.run([]string{"--rm"}, "code", "sh", "-c", "echo hi; exit 42")
		require.Equal(t, 42, exitCode(t, err))
		require.Equal(t, "hi\n", out)
	})
	t.Run("no such program", func(t *testing.T) {
		_, err := r.run([]string{"--rm"}, "nosuch", "/no/such/program")
		require.ErrorContains(t, err, "OCI runtime create failed")
		require.ErrorContains(t, err, "no such file or directory")
		r.Ctr("containers", "rm", "nosuch")
	})
	t.Run("sizes", func(t *testing.T) {
		for _, size := range []int{4097, 65535, 65537, 1 << 20} {
			id := fmt.Sprint("size", size)
			out, err := r.run([]string{"--rm"}, id, "sh", "-c", fmt.Sprintf("yes 0123456789abcde | head -c %d", size))
			require.NoError(t, err)
			want := strings.Repeat("0123456789abcde\n", size/16+1)[:size]
			require.Equal(t, sha256.Sum256([]byte(want)), sha256.Sum256([]byte(out)), "%d bytes, got %d", size, len(out))
		}
	})
	t.Run("stdin", func(t *testing.T) {
		cmd := r.Command("run", "--rm", "--runtime", runtimeName, containerdtest.Image, "stdin", "sha256sum")
		input := bytes.Repeat([]byte("some input\n"), 100_000)
		cmd.Stdin = bytes.NewReader(input)
		out, err := cmd.Output()
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("%x  -\n", sha256.Sum256(input)), string(out))
	})
	t.Run("detached life", func(t *testing.T) {
		r := &rig{r.Containerd, t, r.shim}
		_, err := r.run([]string{"-d"}, "life", "sleep", "1000")
		require.NoError(t, err)
		require.Equal(t, "RUNNING", r.status("life"))
		shim, init := r.pid("life", "shim.pid"), r.pid("life", "init.pid")
		require.Equal(t, strconv.Itoa(shim), field(t, init, "PPid"), "the container's parent is the shim")
		require.Equal(t, "hull-shim", field(t, shim, "Name"))
		require.Equal(t, strconv.Itoa(shim), field(t, shim, "NSsid"))
		address, err := os.ReadFile(filepath.Join(r.bundle("life"), "address"))
		require.NoError(t, err)
		socket := strings.TrimPrefix(string(address), "unix://")
		info, err := os.Stat(socket)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600)|os.ModeSocket, info.Mode())
		info, err = os.Stat(filepath.Dir(socket))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700)|os.ModeDir, info.Mode())

		require.Equal(t, "inside\n", r.must("tasks", "exec", "--exec-id", "x.1", "life", "echo", "inside"))
		_, err = r.Ctr("tasks", "exec", "--exec-id", "x2", "life", "sh", "-c", "exit 7")
		require.Equal(t, 7, exitCode(t, err))
		require.Contains(t, r.must("tasks", "ps", "life"), strconv.Itoa(init))
		r.must("tasks", "pause", "life")
		require.Equal(t, "PAUSED", r.status("life"))
		r.must("tasks", "resume", "life")

		r.must("tasks", "kill", "-s", "SIGKILL", "life")
		r.until("stopped", func() bool { return r.status("life") == "STOPPED" })
		var record struct {
			PID      int
			Status   int
			ExitedAt time.Time
		}
		b, err := os.ReadFile(filepath.Join(r.bundle("life"), "exit.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &record))
		require.Equal(t, init, record.PID)
		require.Equal(t, 137, record.Status)
		require.False(t, record.ExitedAt.IsZero())
		require.Equal(t, "137", r.remove("life"))
		r.must("containers", "rm", "life")
		r.until("the shim is gone", func() bool { return unix.Kill(shim, 0) == unix.ESRCH })
		require.NoFileExists(t, socket)
		require.NoDirExists(t, r.bundle("life"))
	})
}

// Output through our own log and attach socket: in-process under our shim, as a foreign logging program under the real one.
func TestLogURI(t *testing.T) {
	r := newRig(t)
	for _, runtime := range []string{runtimeName, "io.containerd.runc.v2"} {
		t.Run(runtime, func(t *testing.T) {
			dir := t.TempDir()
			log, attach := filepath.Join(dir, "c-json.log"), filepath.Join(dir, "attach.sock")
			id := "log-" + strings.Split(runtime, ".")[2]
			uri := "binary://" + r.shim + "?log=" + log + "&attach=" + attach
			_, err := r.Ctr("run", "-d", "--runtime", runtime, "--log-uri", uri, containerdtest.Image, id,
				"sh", "-c", "yes 0123456789abcde | head -c 1000003; echo problem >&2; touch /ready; while [ ! -e /go ]; do sleep 0.01; done; printf end")
			require.NoError(t, err)
			info, err := os.Stat(attach)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600)|os.ModeSocket, info.Mode())
			r.until("the container waits", func() bool {
				_, err := os.Stat(fmt.Sprintf("/proc/%d/root/ready", r.pid(id, "init.pid")))
				return err == nil
			})
			client := dialAttach(t, attach)
			r.must("tasks", "exec", "--exec-id", "go", id, "touch", "/go")
			r.until("stopped", func() bool { return r.status(id) == "STOPPED" })
			r.must("tasks", "rm", id) // the real shim lets go of its logger's pipes only here
			require.Equal(t, "end", readFrames(t, client)["stdout"], "a client gets what is written after its hello, and then the end")
			r.must("containers", "rm", id)
			r.until("the logger has ended", func() bool { _, err := os.Stat(attach); return os.IsNotExist(err) })

			text := readLog(t, log)
			want := strings.Repeat("0123456789abcde\n", 1000003/16+1)[:1000003] + "end"
			require.Equal(t, sha256.Sum256([]byte(want)), sha256.Sum256([]byte(text["stdout"])))
			require.Equal(t, "problem\n", text["stderr"])
		})
	}
}

// containerd dies while a container writes and ends: the next one finds the truth, and the log has no gap.
func TestContainerdKilled(t *testing.T) {
	r := newRig(t)
	log := filepath.Join(t.TempDir(), "c-json.log")
	script := `i=0; while [ ! -e /stop ]; do i=$((i+1)); echo $i; done; touch /stopped; exit 9`
	for _, id := range []string{"on", "off"} {
		_, err := r.Ctr("run", "-d", "--runtime", runtimeName, "--log-uri", "binary://"+r.shim+"?log="+log+"."+id, containerdtest.Image, id, "sh", "-c", script)
		require.NoError(t, err)
	}
	pids := map[string]int{"on": r.pid("on", "init.pid"), "off": r.pid("off", "init.pid")}
	r.Kill()
	require.NoError(t, os.WriteFile(fmt.Sprintf("/proc/%d/root/stop", pids["off"]), nil, 0o600)) // it ends with nobody there
	r.until("the exit record", func() bool {
		_, err := os.Stat(filepath.Join(r.bundle("off"), "exit.json"))
		return err == nil
	})
	r.Restart()
	r.until("found again", func() bool { return r.status("off") == "STOPPED" })
	require.Equal(t, "RUNNING", r.status("on"))
	require.Contains(t, r.must("tasks", "ls"), strconv.Itoa(pids["on"]))
	require.Equal(t, "9", r.remove("off"))

	require.NoError(t, os.WriteFile(fmt.Sprintf("/proc/%d/root/stop", pids["on"]), nil, 0o600))
	r.until("stopped", func() bool { return r.status("on") == "STOPPED" })
	require.Equal(t, "9", r.remove("on"))
	for _, id := range []string{"on", "off"} {
		r.must("containers", "rm", id)
		for i, line := range strings.Fields(readLog(t, log+"."+id)["stdout"]) {
			require.Equal(t, strconv.Itoa(i+1), line, "%s: a gap", id)
		}
	}
}

// The shim is killed: containerd's clean-up ends the container and reports it.
func TestShimKilled(t *testing.T) {
	r := newRig(t)
	_, err := r.run([]string{"-d"}, "orphan", "sleep", "1000")
	require.NoError(t, err)
	shim, init := r.pid("orphan", "shim.pid"), r.pid("orphan", "init.pid")
	address, err := os.ReadFile(filepath.Join(r.bundle("orphan"), "address"))
	require.NoError(t, err)
	require.NoError(t, unix.Kill(shim, unix.SIGKILL))
	r.until("the container is gone", func() bool {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", init))
		return err != nil || strings.Contains(string(b), ") Z ")
	})
	r.until("the task is gone", func() bool { return r.status("orphan") == "" })
	r.until("the mount is gone", func() bool { return !strings.Contains(mounts(t), r.bundle("orphan")) })
	r.until("the bundle is gone", func() bool { _, err := os.Stat(r.bundle("orphan")); return os.IsNotExist(err) })
	require.NoFileExists(t, strings.TrimPrefix(string(address), "unix://"))
	r.must("containers", "rm", "orphan")
}

// A terminal: the size is right inside, a resize arrives, output is whole when the input ends.
func TestTerminal(t *testing.T) {
	r := newRig(t)
	master, slave := openTerminal(t)
	require.NoError(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 37, Col: 111}))
	cmd := r.Command("run", "--rm", "-t", "--runtime", runtimeName, containerdtest.Image, "tty", "sh", "-c",
		`while [ "$(stty size)" != "37 111" ]; do sleep 0.01; done; echo first; while [ "$(stty size)" != "25 99" ]; do sleep 0.01; done; stty size; yes line | head -n 20000; echo last`)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	slave.Close()
	var out bytes.Buffer
	buf := make([]byte, 32<<10)
	resized := false
	for {
		n, err := master.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			break
		}
		if !resized && bytes.Contains(out.Bytes(), []byte("first")) {
			resized = true
			require.NoError(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: 99}))
		}
	}
	require.NoError(t, cmd.Wait())
	text := strings.ReplaceAll(out.String(), "\r", "")
	require.Equal(t, 20000, strings.Count(text, "line\n"), "output of a terminal is whole")
	require.Contains(t, text, "25 99\n")
	require.True(t, strings.HasSuffix(text, "last\n"))
}

// An idle shim is small: there is one for each container. Two of them run, so that what they share (the program's pages) is not private.
func TestIdleShim(t *testing.T) {
	r := newRig(t)
	ids := []string{"idle1", "idle2"}
	for _, id := range ids {
		_, err := r.run([]string{"-d", "--null-io"}, id, "sleep", "1000")
		require.NoError(t, err)
		require.Equal(t, "done\n", r.must("tasks", "exec", "--exec-id", "x", id, "echo", "done")) // it has had work
	}
	for _, id := range ids {
		shim := r.pid(id, "shim.pid")
		var threads, private int
		r.until("the shim is at rest", func() bool {
			threads, _ = strconv.Atoi(field(t, shim, "Threads"))
			private = privateKB(t, shim)
			return threads <= 6 && private <= 2<<10
		})
		t.Logf("%s: %d threads, %d kB of its own", id, threads, private)
	}
	for _, id := range ids {
		r.must("tasks", "rm", "-f", id)
		r.must("containers", "rm", id)
	}
}

// privateKB is the memory that only this process has. proc(5), /proc/PID/smaps_rollup
func privateKB(t *testing.T, pid int) (sum int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^Private_(?:Clean|Dirty):\s+(\d+) kB`).FindAllSubmatch(b, -1) {
		kb, err := strconv.Atoi(string(m[1]))
		require.NoError(t, err)
		sum += kb
	}
	require.NotZero(t, sum)
	return sum
}

// hull-runc beside hull-shim is its runtime: two of ours under the real containerd.
func TestWithHullRunc(t *testing.T) {
	dir := install(t)
	require.NoError(t, os.Rename(probetest.Build(t, "hull-runc"), filepath.Join(dir, "hull-runc")))
	r := &rig{containerdtest.Start(t, dir), t, filepath.Join(dir, "hull-shim")}
	out, err := r.run([]string{"--rm"}, "ours", "sh", "-c", "echo hi; exit 42")
	require.Equal(t, 42, exitCode(t, err))
	require.Equal(t, "hi\n", out)
	_, err = r.run([]string{"-d"}, "ours2", "sleep", "1000")
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(r.pid("ours2", "shim.pid")), field(t, r.pid("ours2", "init.pid"), "PPid"))
	r.must("tasks", "kill", "-s", "SIGKILL", "ours2")
	r.until("stopped", func() bool { return r.status("ours2") == "STOPPED" })
	require.Equal(t, "137", r.remove("ours2"))
	r.must("containers", "rm", "ours2")
}
