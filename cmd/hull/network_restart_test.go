package main_test

import (
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// testNetworkRestart: packets need no hulld. A connection lives through its death, new ones come about while it is dead, and the next one finds
// everything, puts back rules that somebody has flushed, and clears up what ended meanwhile.
func testNetworkRestart(t *testing.T, w *world) {
	g := w.start(t, "-p", "8080:80", "-p", "5353:53/udp")
	g.Serve(":80")
	g.ServeUDP(g.ip + ":53")
	brief := w.start(t, "-p", "8090:80")
	c, err := w.outside.Reach("10.9.0.1:8080")
	require.NoError(t, err)
	local, err := w.net.Reach("127.0.0.1:8080")
	require.NoError(t, err)
	echo := func(when string) {
		t.Helper()
		for _, conn := range []interface{ Echo(string) (string, error) }{c, local} {
			got, err := conn.Echo(when)
			require.NoError(t, err, when)
			require.Equal(t, when, got)
		}
	}
	echo("before")

	pid := w.inspect(brief.id).State.Pid
	w.kill("hulld")
	echo("while hulld is dead")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8080"))
	require.Equal(t, "172.17.0.1", from(t, w.net, "127.0.0.1:8080"))
	_, err = w.outside.ReachUDP("10.9.0.1:5353")
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL)) // it ends while nobody watches
	w.net.Flush()
	require.True(t, w.outside.Closed("10.9.0.1:8081"))

	w.ok("up")
	echo("afterwards")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8080"), "flushed rules are back")
	require.Equal(t, g.ip, w.settings(g.id).IPAddress)
	require.Equal(t, "53/udp -> 0.0.0.0:5353\n80/tcp -> 0.0.0.0:8080\n", w.ok("port", g.id))
	_, text, code := w.run("run", "--rm", "-p", "8080:80", "busybox", "true")
	require.Equal(t, 125, code)
	require.Contains(t, text, "port is already allocated", "the port is held again")
	w.ok("run", "--rm", "-p", "8090:80", "busybox", "true") // and the dead one's is free
	next := w.start(t)
	require.NotContains(t, []string{g.ip, brief.ip}, next.ip, "addresses of containers are known again")

	// down --keep leaves it all; up finds it.
	w.ok("down", "--keep")
	echo("kept")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8080"))
	w.ok("up")
	echo("found")
	w.ok("stop", "-t", "0", g.id)
	require.True(t, w.outside.Closed("10.9.0.1:8080"))
}

// testNetworkCrash kills hulld again and again while containers come and go. Whatever it was at, the next one leaves nothing behind.
func testNetworkCrash(t *testing.T, w *world) {
	for range 4 {
		var wg sync.WaitGroup
		clients := []*exec.Cmd{}
		for range 3 {
			c := w.cmd("run", "--rm", "-p", "80", "busybox", "true")
			require.NoError(t, c.Start())
			clients = append(clients, c)
			wg.Go(func() { c.Wait() })
		}
		clients[0].Wait() // any moment is as good as another; this one lies in the middle of the others' work
		w.kill("hulld")
		wg.Wait()
		w.ok("up")
		for _, id := range strings.Fields(w.ok("ps", "-aq")) {
			w.ok("rm", "-f", id)
		}
	}
	w.start(t) // the bridge is there for the next test to find
}
