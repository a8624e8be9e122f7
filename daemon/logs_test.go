package daemon_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func testLogs(t *testing.T, r *rig) {
	r.run(t, "--name", "logs", "busybox", "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done; echo wrong >&2; printf unfinished")
	res := r.docker(t, nil, "logs", "logs")
	require.Equal(t, "line 1\nline 2\nline 3\nline 4\nline 5\nunfinished", res.stdout)
	require.Equal(t, "wrong\n", res.stderr)
	require.Equal(t, "unfinished", r.docker(t, nil, "logs", "--tail", "1", "logs").stdout)
	require.Empty(t, r.docker(t, nil, "logs", "--tail", "0", "logs").stdout)
	stamped := r.docker(t, nil, "logs", "-t", "--tail", "100", "logs").stdout
	first, rest, _ := strings.Cut(stamped, " ")
	at, err := time.Parse(time.RFC3339Nano, first)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(rest, "line 1\n"))
	require.Empty(t, r.docker(t, nil, "logs", "--until", at.Add(-time.Second).Format(time.RFC3339Nano), "logs").stdout)
	require.Empty(t, r.docker(t, nil, "logs", "--since", at.Add(time.Minute).Format(time.RFC3339Nano), "logs").stdout)
	require.Equal(t, res.stdout, r.docker(t, nil, "logs", "-f", "logs").stdout, "following what has ended ends")
	r.ok(t, "rm", "logs")

	// Followers that come at any time see every line once, and end with the container.
	r.run(t, "-d", "--name", "count", "busybox", "sh", "-c", "for i in $(seq 300); do echo $i; usleep 3000; done")
	var want strings.Builder
	for i := 1; i <= 300; i++ {
		fmt.Fprintln(&want, i)
	}
	type answer struct {
		out string
		err error
	}
	answers := make(chan answer)
	for range 4 {
		go func() {
			out, err := exec.Command("docker", "-H", "unix://"+r.inst.APISocket(), "logs", "-f", "count").Output()
			answers <- answer{string(out), err}
		}()
	}
	for range 4 {
		a := <-answers
		require.NoError(t, a.err)
		require.Equal(t, want.String(), a.out)
	}
	// The log is whole once the wait has been answered.
	r.ok(t, "wait", "count")
	require.Equal(t, want.String(), r.ok(t, "logs", "count"))
	r.ok(t, "rm", "count")
}
