package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func (b *bench) status(id string) specs.State {
	var s specs.State
	require.NoError(b.t, json.Unmarshal([]byte(b.must("state", id)), &s))
	return s
}

// TestLife follows one container from create to delete, looking from outside.
func TestLife(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sleep", "1000"}
		s.Annotations = map[string]string{"k": "v"}
	})
	id := b.id("life")
	pid, _ := b.create(id)
	proc := fmt.Sprintf("/proc/%d", pid)

	s := b.status(id)
	require.Equal(t, specs.State{Version: "1.0.2", ID: id, Status: specs.StateCreated, Pid: pid, Bundle: b.bundle, Annotations: map[string]string{"k": "v"}}, s)
	require.Contains(t, b.fails("create", "--bundle", b.bundle, id), "already exists")
	require.Contains(t, link(t, proc+"/exe"), "/hull-runc", "the user's program must not run yet")

	// What the kernel says of the waiting process.
	for _, ns := range []string{"pid", "mnt", "net", "ipc", "uts", "cgroup"} {
		require.NotEqual(t, link(t, "/proc/self/ns/"+ns), link(t, proc+"/ns/"+ns), ns)
	}
	require.Equal(t, link(t, "/proc/self/ns/user"), link(t, proc+"/ns/user"))
	mounts := read(t, proc+"/mountinfo")
	for _, point := range []string{"/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/proc/sys", "/proc/keys"} {
		require.Contains(t, mounts, " "+point+" ", "not mounted")
	}
	require.NotContains(t, mounts, "shared:", "mount propagation is not cut")
	for _, line := range strings.Split(strings.TrimSpace(mounts), "\n") {
		require.False(t, strings.HasPrefix(strings.Fields(line)[4], b.bundle), "the host's tree is still there: %s", line)
	}
	entries, err := os.ReadDir(proc + "/root/bin")
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	fds, err := os.ReadDir(proc + "/fd")
	require.NoError(t, err)
	var open []string
	for _, f := range fds {
		if len(f.Name()) > 1 || f.Name() > "2" {
			open = append(open, filepath.Base(link(t, proc+"/fd/"+f.Name())))
		}
	}
	require.ElementsMatch(t, []string{"exec.fifo", "proc"}, open, "descriptors beside the standard streams")
	exe, err := unix.Open(proc+"/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(exe)

	b.must("start", id)
	_, err = os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", exe), os.O_WRONLY, 0) // no longer busy: only the mount forbids it
	require.ErrorIs(t, err, unix.EROFS, "the runtime's binary could be overwritten from a container")
	require.Equal(t, specs.StateRunning, b.status(id).Status)
	require.True(t, strings.HasSuffix(link(t, proc+"/exe"), "/bin/busybox"), "start came back before execve")
	require.Contains(t, b.fails("start", id), "cannot start an already running container")
	require.Contains(t, b.fails("delete", id), "not stopped: running")
	require.Contains(t, b.fails("kill", id, "NOSUCH"), "unknown signal")

	b.must("kill", id, "KILL")
	require.Equal(t, 137, reap(t, pid))
	require.Equal(t, specs.StateStopped, b.status(id).Status)
	require.Contains(t, b.fails("kill", id, "9"), "container not running")
	require.Contains(t, b.fails("start", id), "stopped")
	b.must("delete", id)
	for _, verb := range []string{"state", "start", "kill", "delete"} {
		require.Contains(t, b.fails(verb, id), "does not exist")
	}
	b.must("delete", "--force", id)
}

// A container that is created or running goes by delete: the first at once, the second with --force.
func TestDeleteEnds(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	id := b.id("created")
	pid, _ := b.create(id)
	b.must("delete", id)
	require.Equal(t, 137, reap(t, pid))
	id = b.id("running")
	pid, _ = b.create(id)
	b.must("start", id)
	b.must("delete", "--force", id)
	require.Equal(t, 137, reap(t, pid))
}

// A zombie is not running, although its pid is there.
func TestZombieIsStopped(t *testing.T) {
	b := newBench(t, nil)
	id := b.id("zombie")
	pid, _ := b.create(id)
	b.must("start", id)
	var info unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil)) // it has ended, and stays unreaped
	require.Equal(t, specs.StateStopped, b.status(id).Status)
	require.Equal(t, 0, reap(t, pid))
	b.must("delete", id)
}

func link(t *testing.T, path string) string {
	target, err := os.Readlink(path)
	require.NoError(t, err)
	return target
}

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
