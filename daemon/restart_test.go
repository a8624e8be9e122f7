package daemon_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hulld dies and comes back: containers do not notice, exits that happened meanwhile have their true code and their last output.
func testRestart(t *testing.T, r *rig) {
	r.run(t, "-d", "--name", "clock", "busybox", "sh", "-c", "i=0; while true; do i=$((i+1)); echo $i; usleep 2000; done")
	r.run(t, "-d", "--name", "dies", "busybox", "sh", "-c", "echo ready; while [ ! -e /go ]; do usleep 10000; done; echo bye; exit 9")
	r.run(t, "-d", "--rm", "--name", "dies-rm", "busybox", "sh", "-c", "echo ready; while [ ! -e /go ]; do usleep 10000; done; exit 9")
	follow(t, r, "dies", "ready")
	follow(t, r, "dies-rm", "ready")
	pid := r.ok(t, "inspect", "-f", "{{.State.Pid}}", "clock")
	ids := map[string]string{}
	for _, name := range []string{"dies", "dies-rm"} {
		ids[name] = strings.TrimSpace(r.ok(t, "inspect", "-f", "{{.State.Pid}}", name))
	}
	r.kill()
	for _, p := range ids {
		// Their own file system, seen from outside: the sign to go on.
		require.NoError(t, exec.Command("touch", "/proc/"+p+"/root/go").Run())
	}
	require.Eventually(t, func() bool {
		list, err := r.ctd.Ctr("-n", "hull", "tasks", "ls")
		return err == nil && strings.Count(list, "STOPPED") == 2
	}, waitLong, waitStep)
	r.start(t)

	require.Equal(t, "9\n", r.ok(t, "wait", "dies"))
	require.Equal(t, "ready\nbye\n", r.ok(t, "logs", "dies"))
	require.Equal(t, "exited 9\n", r.ok(t, "inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "dies"))
	require.NotZero(t, r.docker(t, nil, "inspect", "dies-rm").code, "a --rm container is removed by the next daemon")
	require.Equal(t, pid, r.ok(t, "inspect", "-f", "{{.State.Pid}}", "clock"))

	follow(t, r, "clock", "300") // goes on
	r.ok(t, "stop", "-t", "0", "clock")
	for i, line := range lines(r.ok(t, "logs", "clock")) {
		require.Equal(t, fmt.Sprint(i+1), line, "no gap")
	}

	// A task that vanished while nobody watched: 255, never a success.
	r.run(t, "-d", "--name", "lost", "busybox", "sleep", "1000")
	id := strings.TrimSpace(r.ok(t, "inspect", "-f", "{{.Id}}", "lost"))
	r.kill()
	_, err := r.ctd.Ctr("-n", "hull", "tasks", "rm", "-f", id)
	require.NoError(t, err)
	r.start(t)
	require.Equal(t, "exited 255\n", r.ok(t, "inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "lost"))
	r.ok(t, "rm", "clock", "dies", "lost")
}
