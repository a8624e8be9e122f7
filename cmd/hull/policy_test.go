package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// again is what the tests read of a container with a restart policy.
func (e *engine) again(name string) string {
	e.t.Helper()
	return strings.TrimSpace(e.ok("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", name))
}

// TestPolicyOverDeath: restart policies hold over the death of the daemon, whatever it was doing, and over down and up.
func TestPolicyOverDeath(t *testing.T) {
	e := up(t)
	flag := t.TempDir()
	run := func(name, policy, script string) {
		e.ok("run", "-d", "--restart", policy, "--name", name, "--network", "none", "-v", flag+":/flag", "busybox", "sh", "-c", script)
	}
	run("waits", "always", "exit 3")                  // in its back-off when the daemon dies
	run("runs", "always", "sleep 1000")               // runs on meanwhile
	run("stopped", "unless-stopped", "sleep 1000")    // by a user
	run("unless", "unless-stopped", "sleep 1000")     // not by a user
	run("failed", "on-failure:1", "echo try; exit 4") // has had its tries
	e.ok("stop", "-t", "0", "stopped")
	e.until("the tries are over", func() bool { return e.again("failed") == "exited 1" })
	e.until("it waits for its restart", func() bool { return strings.HasPrefix(e.again("waits"), "restarting ") })
	before := e.inspect("runs").State.Pid

	e.kill("hulld")
	e.ok("up")
	require.Equal(t, before, e.inspect("runs").State.Pid)
	count := e.again("waits")
	e.until("it is started again", func() bool { now := e.again("waits"); return now != count && strings.HasPrefix(now, "restarting ") })
	require.True(t, strings.HasPrefix(e.again("stopped"), "exited "))
	require.Equal(t, "exited 1", e.again("failed"))

	// A stop ends the waiting.
	e.ok("stop", "waits")
	require.True(t, strings.HasPrefix(e.again("waits"), "exited "))

	// down stops for the instance's sake: what nobody has stopped comes back with up.
	e.ok("down")
	e.ok("up")
	e.until("always and unless-stopped run again", func() bool {
		return strings.HasPrefix(e.again("runs"), "running ") && strings.HasPrefix(e.again("unless"), "running ")
	})
	require.True(t, strings.HasPrefix(e.again("stopped"), "exited "))
	e.ok("rm", "-f", "waits", "runs", "stopped", "unless", "failed")
}
