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
		for _, size := range []int{1, 4095, 4096, 4097, 16383, 16385, 65535, 65536, 65537, 1 << 20} {
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

		require.Equal(t, "inside\n", r.must("tasks", "exec", "--exec-id", "x/1", "life", "echo", "inside"))
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
		_, err = r.Ctr("tasks", "rm", "life")
		require.Equal(t, 137, exitCode(t, err))
		r.must("containers", "rm", "life")
		r.until("the shim is gone", func() bool { return unix.Kill(shim, 0) == unix.ESRCH })
		require.NoFileExists(t, socket)
		require.NoDirExists(t, r.bundle("life"))
	})
}
