package daemon_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// sleeper is a container that does nothing; it is removed at the test's end.
func sleeper(t *testing.T, r *rig, name string) {
	t.Helper()
	require.Zero(t, r.run(t, "-d", "--name", name, "busybox", "sleep", "1000").code)
	t.Cleanup(func() { r.ok(t, "rm", "-f", name) })
}

// execIDs are the execs that inspect shows: those that run, or wait to.
func execIDs(t *testing.T, r *rig, name string) (ids []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(r.ok(t, "inspect", "-f", "{{json .ExecIDs}}", name)), &ids))
	return ids
}

// inspectExec is GET /exec/{id}/json.
func inspectExec(t *testing.T, r *rig, id string) (state struct {
	Running  bool
	ExitCode *int
	Pid      int
},
) {
	t.Helper()
	status, text := r.get(t, "GET", "/exec/"+id+"/json", "")
	require.Equal(t, 200, status, text)
	require.NoError(t, json.Unmarshal([]byte(text), &state))
	return state
}

func testExec(t *testing.T, r *rig) {
	sleeper(t, r, "box")
	t.Run("streams", func(t *testing.T) {
		// Every byte of a megabyte, and of both streams; the last come before the exit code.
		res := r.docker(t, nil, "exec", "box", "sh", "-c", "dd if=/dev/urandom of=/tmp/x bs=1024 count=1500 2>/dev/null; sha256sum /tmp/x >&2; cat /tmp/x; exit 3")
		require.Equal(t, 3, res.code)
		require.Len(t, res.stdout, 1500*1024)
		require.Equal(t, strings.Fields(res.stderr)[0], hexSum(res.stdout))
		for range 5 {
			require.Equal(t, result{"x\n", "", 0}, r.docker(t, nil, "exec", "box", "echo", "x"))
		}
	})
	t.Run("input", func(t *testing.T) {
		in := bytes.Repeat([]byte("some input\n"), 50_000)
		res := r.docker(t, bytes.NewReader(in), "exec", "-i", "box", "sha256sum")
		require.Equal(t, fmt.Sprintf("%x  -\n", sha256.Sum256(in)), res.stdout)
	})
	t.Run("many at once", func(t *testing.T) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				res := r.docker(t, nil, "exec", "box", "sh", "-c", fmt.Sprintf("echo %d; exit %d", i, i))
				if res != (result{fmt.Sprintln(i), "", i}) {
					t.Errorf("exec %d: %+v", i, res)
				}
			}()
		}
		wg.Wait()
	})
	t.Run("a child that holds the streams", func(t *testing.T) {
		require.Equal(t, result{"said\n", "", 0}, r.docker(t, nil, "exec", "box", "sh", "-c", "sleep 998 & echo said"))
		r.ok(t, "exec", "box", "sh", "-c", "kill $(pidof sleep | tr ' ' '\\n' | grep -vx 1)")
	})
	t.Run("programs that cannot be run", func(t *testing.T) {
		for program, want := range map[string]result{
			"nosuch": {"executable file not found in $PATH", "", 127}, "/bin/nosuch": {"no such file or directory", "", 127}, "/etc/passwd": {"permission denied", "", 126},
		} {
			res := r.docker(t, nil, "exec", "box", program)
			require.Contains(t, res.stdout, want.stdout)
			require.Equal(t, want.code, res.code, program)
		}
	})
	t.Run("a client that is killed", func(t *testing.T) {
		cmd := exec.Command("docker", "-H", "unix://"+r.inst.APISocket(), "exec", "-i", "box", "sh", "-c", "echo here; cat; yes | head -c 300000; exit 5")
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		defer in.Close()
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		here := make([]byte, 5)
		_, err = out.Read(here)
		require.NoError(t, err)
		ids := execIDs(t, r, "box")
		require.Len(t, ids, 1)
		require.NoError(t, cmd.Process.Kill())
		cmd.Wait()
		// Its input has ended, its output goes nowhere and holds it up nowhere.
		require.Eventually(t, func() bool { return !inspectExec(t, r, ids[0]).Running }, waitLong, waitStep)
		require.Equal(t, 5, *inspectExec(t, r, ids[0]).ExitCode)
		r.noExecLeft(t)
	})
	r.noExecLeft(t)
	require.Empty(t, execIDs(t, r, "box"))
}

// noExecLeft holds that no FIFO of an exec is there, and hulld has none open.
func (r *rig) noExecLeft(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		left, _ := filepath.Glob(r.inst.Streams() + "/*/exec-*")
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", r.cmd.Process.Pid))
		for _, fd := range fds {
			if target, _ := os.Readlink(fd); strings.Contains(target, "/exec-") {
				left = append(left, target)
			}
		}
		return len(left) == 0
	}, waitLong, waitStep, "an exec has left something")
}

// The first byte that a program in a terminal could print is after the size has been set.
func testExecTerminal(t *testing.T, r *rig) {
	sleeper(t, r, "box")
	status, text := r.get(t, "POST", "/v1.44/containers/box/exec", `{"Cmd":["sh","-c","stty size > /size; tty > /tty"],"Tty":true,"ConsoleSize":[37,111]}`)
	require.Equal(t, 201, status, text)
	var made struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(text), &made))
	status, text = r.get(t, "POST", "/v1.44/exec/"+made.ID+"/start", `{"Detach":true,"Tty":true}`)
	require.Equal(t, 200, status, text)
	require.Eventually(t, func() bool { return !inspectExec(t, r, made.ID).Running }, waitLong, waitStep)
	require.Equal(t, "37 111\n/dev/pts/0\n", r.ok(t, "exec", "box", "cat", "/size", "/tty"))

	status, text = r.get(t, "POST", "/v1.44/exec/"+made.ID+"/start", `{"Detach":true}`)
	require.Equal(t, 409, status, text)
	require.Contains(t, text, "has already run")
	for _, path := range []string{"/exec/nosuch/start", "/exec/nosuch/resize?h=1&w=1"} {
		status, text = r.get(t, "POST", path, `{}`)
		require.Equal(t, 404, status, text)
		require.Contains(t, text, "No such exec instance: nosuch")
	}
	for _, body := range []string{`{}`, `{"Cmd":[]}`, `{"Cmd":["x"],"Env":["=x"]}`, `{"Cmd":["x"],"WorkingDir":"rel"}`, `{"Cmd":["x"],"DetachKeys":"nokey"}`, `not JSON`} {
		status, text = r.get(t, "POST", "/containers/box/exec", body)
		require.Equal(t, 400, status, body+text)
	}
	status, text = r.get(t, "POST", "/containers/box/exec", `{"Cmd":["x"],"Surprise":true}`)
	require.Equal(t, 501, status, text)
}

// hulld dies while execs run: one that ended meanwhile has its true code, one that lives is there and does not stop at a full FIFO.
func testExecRestart(t *testing.T, r *rig) {
	sleeper(t, r, "box")
	for _, name := range []string{"ends", "talks"} {
		script := map[string]string{
			"ends": "touch /ends; while [ ! -e /go ]; do usleep 10000; done; exit 6", "talks": "touch /talks; while [ ! -e /more ]; do usleep 10000; done; yes | head -c 500000; touch /done; sleep 1000",
		}[name]
		cmd := exec.Command("docker", "-H", "unix://"+r.inst.APISocket(), "exec", "box", "sh", "-c", script)
		require.NoError(t, cmd.Start())
		defer func() { cmd.Process.Signal(syscall.SIGKILL); cmd.Wait() }()
		require.Eventually(t, func() bool { return r.docker(t, nil, "exec", "box", "test", "-e", "/"+name).code == 0 }, waitLong, waitStep)
	}
	ids := execIDs(t, r, "box")
	require.Len(t, ids, 2)
	root := "/proc/" + strings.TrimSpace(r.ok(t, "inspect", "-f", "{{.State.Pid}}", "box")) + "/root"
	pid := inspectExec(t, r, ids[0]).Pid
	r.kill()
	require.NoError(t, exec.Command("touch", root+"/go").Run())
	require.Eventually(t, func() bool { // a zombie that its shim has reaped is not there
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err != nil || len(text) == 0
	}, waitLong, waitStep)
	r.start(t)

	require.Eventually(t, func() bool { return !inspectExec(t, r, ids[0]).Running }, waitLong, waitStep)
	require.Equal(t, 6, *inspectExec(t, r, ids[0]).ExitCode)
	require.True(t, inspectExec(t, r, ids[1]).Running)
	require.Equal(t, ids[1:], execIDs(t, r, "box"))
	require.NoError(t, exec.Command("touch", root+"/more").Run())
	require.Eventually(t, func() bool { _, err := os.Stat(root + "/done"); return err == nil }, waitLong, waitStep, "it stops at a FIFO that nobody reads")
	r.ok(t, "kill", "box")
	r.ok(t, "wait", "box")
	require.False(t, inspectExec(t, r, ids[1]).Running, "an exec ends with its container")
	r.noExecLeft(t)
}

// A pause that somebody else made, or that an earlier daemon knew of, is known after a restart; update reaches the kernel.
func testPauseRestart(t *testing.T, r *rig) {
	sleeper(t, r, "box")
	state := func() string { return r.ok(t, "inspect", "-f", "{{.State.Status}} {{.State.Paused}}", "box") }
	r.ok(t, "pause", "box")
	r.kill()
	r.start(t)
	require.Equal(t, "paused true\n", state())
	r.ok(t, "unpause", "box")
	id := strings.TrimSpace(r.ok(t, "inspect", "-f", "{{.Id}}", "box"))
	r.kill()
	_, err := r.ctd.Ctr("-n", "hull", "tasks", "pause", id)
	require.NoError(t, err)
	r.start(t)
	require.Equal(t, "paused true\n", state())
	require.Equal(t, 1, r.docker(t, nil, "exec", "box", "true").code)
	r.ok(t, "unpause", "box")

	r.ok(t, "update", "--pids-limit", "17", "-m", "64m", "--memory-swap", "128m", "box")
	require.Equal(t, "17\n67108864\n", r.ok(t, "exec", "box", "cat", "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"))
	require.Equal(t, []string{"WHO", "root"}, lines(r.ok(t, "top", "box", "-o", "user=WHO")))
	require.Contains(t, r.docker(t, nil, "top", "box", "--forest").stderr, "not offered by hull yet")
}
