package daemon_test

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testFiles copies out of and into containers of each state, and looks that no mount is left behind, in whatever namespace.
func testFiles(t *testing.T, r *rig) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/in", []byte("in\n"), 0o600))
	require.NoError(t, os.Mkdir(dir+"/host", 0o755))
	require.NoError(t, os.WriteFile(dir+"/host/bound", []byte("bound\n"), 0o644))
	r.ok(t, "create", "--name", "made", "--network", "none", "-v", dir+"/host:/mnt:ro", "-v", "/vol", "busybox", "sh", "-c", "ln -s / /tmp/root; ln -s /proc/self/root /tmp/proc")
	r.run(t, "-d", "--name", "runs", "-v", dir+"/host:/mnt:ro", "busybox", "sh", "-c", "echo deep > /tmp/deep; ln -s / /tmp/root; exec sleep 1000")
	require.Eventually(t, func() bool { return strings.Contains(r.ok(t, "diff", "runs"), "/tmp/root") }, waitLong, waitStep)
	r.ok(t, "start", "made")
	require.Equal(t, "0\n", r.ok(t, "wait", "made"))
	for _, name := range []string{"made", "runs"} {
		r.ok(t, "cp", dir+"/in", name+":/root/in")
		r.ok(t, "cp", name+":/root/in", dir+"/"+name)
		require.Equal(t, "in\n", string(mustRead(t, dir+"/"+name)))
		r.ok(t, "cp", name+":/mnt/bound", dir+"/"+name)
		require.Equal(t, "bound\n", string(mustRead(t, dir+"/"+name)))
		require.NotZero(t, r.docker(t, nil, "cp", dir+"/in", name+":/mnt/in").code, "the bind is read-only")
		r.ok(t, "cp", dir+"/in", name+":/tmp/root/in2")
		require.Contains(t, r.ok(t, "diff", name), "A /in2\n", "a link of the container means its own root")
		require.NoFileExists(t, "/in2")
		require.NotContains(t, r.ok(t, "diff", name), "/etc/hosts")
	}
	require.NotZero(t, r.docker(t, nil, "cp", dir+"/in", "made:/tmp/proc/in3").code)
	require.NoFileExists(t, "/in3")
	r.ok(t, "export", "-o", dir+"/e.tar", "runs")
	require.NotContains(t, string(mustRead(t, dir+"/e.tar")), "bound\n", "what is mounted is not the container's own")

	// A daemon that is killed in the middle of a copy leaves no mount: nobody reads the pipe, so the copy stands still.
	cmd := exec.Command("docker", "-H", "unix://"+r.inst.APISocket(), "cp", "made:/bin", "-")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, 4096))
	require.NoError(t, err)
	r.kill()
	out.Close()
	cmd.Wait()
	r.start(t)
	require.Empty(t, mountsBelow(t, r.inst.Root+"/lib/containers"))
	r.ok(t, "rm", "-f", "made", "runs")
}

// mountsBelow lists the mounts below a directory in every mount namespace of the machine.
func mountsBelow(t *testing.T, dir string) (found []string) {
	pids, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + pid.Name() + "/mountinfo")
		if err != nil {
			continue // no process, or gone
		}
		for _, line := range strings.Split(string(text), "\n") {
			if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir) {
				found = append(found, pid.Name()+": "+f[4])
			}
		}
	}
	return found
}
