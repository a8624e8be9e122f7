package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"hull/trace/span"

	"github.com/stretchr/testify/require"
)

// inspected is what the tests read of `hull inspect`.
type inspected struct {
	State struct {
		Status   string
		Pid      int
		ExitCode int
	}
}

func (e *engine) inspect(id string) inspected {
	e.t.Helper()
	var all []inspected
	require.NoError(e.t, json.Unmarshal([]byte(e.ok("inspect", id)), &all))
	require.Len(e.t, all, 1)
	return all[0]
}

// clock counts lines from 1 as fast as a tenth of a second allows: a line that is missing, doubled or torn shows.
const clock = `i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done`

// TestEverythingAboveTheShimMayDie kills hulld, hull-containerd and hull-trace while one container runs on and two others end.
func TestEverythingAboveTheShimMayDie(t *testing.T) {
	e := up(t)
	flag := t.TempDir()
	id := strings.TrimSpace(e.ok("run", "-d", "--network", "none", "busybox", "sh", "-c", clock))
	waits := []string{"--network", "none", "-v", flag + ":/flag", "busybox", "sh", "-c", `while ! [ -e /flag/end ]; do sleep 0.02; done; echo last words; exit 7`}
	ends := strings.TrimSpace(e.ok(append([]string{"run", "-d"}, waits...)...))
	goes := strings.TrimSpace(e.ok(append([]string{"run", "-d", "--rm"}, waits...)...))
	before := e.inspect(id).State
	endsPID, goesPID := e.inspect(ends).State.Pid, e.inspect(goes).State.Pid
	require.Equal(t, "running", before.Status)
	started := span.StartTime(before.Pid)
	logFile := e.inst.LibContainers() + "/" + id + "/" + id + "-json.log"

	e.kill("hulld")
	e.kill("hull-containerd")
	e.kill("hull-trace")
	n := lines(t, logFile)
	require.NoError(t, os.WriteFile(flag+"/end", nil, 0o644))
	e.until("the two others have ended", func() bool { return span.StartTime(endsPID) == 0 && span.StartTime(goesPID) == 0 })
	e.until("the log grows without a daemon", func() bool { return lines(t, logFile) > n+3 })

	e.ok("up")
	after := e.inspect(id).State
	require.Equal(t, "running", after.Status)
	require.Equal(t, before.Pid, after.Pid)
	require.Equal(t, started, span.StartTime(after.Pid), "the same process, not one with its pid")

	ended := e.inspect(ends).State
	require.Equal(t, "exited", ended.Status)
	require.Equal(t, 7, ended.ExitCode)
	require.Contains(t, e.ok("logs", ends), "last words\n")

	e.until("the --rm container is removed", func() bool { return !strings.Contains(e.ok("ps", "-aq", "--no-trunc"), goes) })
	e.nothingLeft(goes)

	e.ok("stop", "-t", "0", id)
	for i, line := range strings.Split(strings.TrimSpace(e.ok("logs", id)), "\n") {
		require.Equal(t, "line "+strconv.Itoa(i+1), line)
	}
	require.Equal(t, 137, e.inspect(id).State.ExitCode)
	e.ok("rm", id, ends)
	e.nothingLeft(id)
	e.nothingLeft(ends)
}

// TestAttachAfterRestart follows the log of a container over a daemon's death.
func TestAttachAfterRestart(t *testing.T) {
	e := up(t)
	id := strings.TrimSpace(e.ok("run", "-d", "--network", "none", "busybox", "sh", "-c", clock))
	e.kill("hulld")
	e.ok("up")
	follow := e.cmd("logs", "-f", "--tail", "1", id)
	out, err := follow.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, follow.Start())
	var first, second int
	_, err = fmt.Fscanf(out, "line %d\nline %d\n", &first, &second)
	require.NoError(t, err)
	require.Equal(t, first+1, second)
	e.ok("rm", "-f", id)
	require.NoError(t, follow.Wait(), "logs -f ends when its container does")
}

func lines(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Count(string(text), "\n")
}
