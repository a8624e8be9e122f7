package daemon_test

import (
	"bytes"
	"crypto/sha256"
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

func testSystem(t *testing.T, r *rig) {
	require.Equal(t, "1.44 1.24 hull", strings.TrimSpace(r.ok(t, "version", "-f", "{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Platform.Name}}")))
	runtime := "io.containerd.runc.v2"
	if r.own {
		runtime = "io.containerd.hull.v2"
	}
	require.Equal(t, "overlayfs "+runtime+" inactive", strings.TrimSpace(r.ok(t, "info", "-f", "{{.Driver}} {{.DefaultRuntime}} {{.Swarm.LocalNodeState}}")))
	st, err := os.Stat(r.inst.APISocket())
	require.NoError(t, err)
	require.Zero(t, st.Mode().Perm()&0o007, "others may not connect")
}

func testRun(t *testing.T, r *rig) {
	res := r.run(t, "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 3")
	require.Equal(t, result{"out\n", "err\n", 3}, res)

	// A megabyte and more, byte by byte: what the container wrote is what the client got.
	res = r.run(t, "--rm", "busybox", "sh", "-c", "dd if=/dev/urandom of=/tmp/x bs=1024 count=1500 2>/dev/null; sha256sum /tmp/x >&2; cat /tmp/x")
	require.Zero(t, res.code)
	require.Len(t, res.stdout, 1500*1024)
	require.Equal(t, strings.Fields(res.stderr)[0], hexSum(res.stdout))

	// Instantly dying ones lose nothing.
	for range 5 {
		require.Equal(t, result{"x\n", "", 0}, r.run(t, "--rm", "busybox", "echo", "x"))
	}
}

func testContainerIsReal(t *testing.T, r *rig) {
	host := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(host, "file"), []byte("from the host"), 0o644))
	out := r.run(t, "--rm", "-h", "shipname", "-e", "A=b", "-w", "/tmp", "-u", "user:5", "-v", host+":/data:ro", "-m", "64m", "--cpus", "0.5", "--pids-limit", "20",
		"busybox", "sh", "-c", `hostname; echo $A; pwd; id -u; id -g; cat /data/file; echo; touch /data/x 2>&1
		grep -e CapEff -e CapBnd -e Seccomp: /proc/self/status; ls /proc/1/ns; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max; readlink /proc/self; cat /proc/kcore; ls /sys/class/net`)
	require.Zero(t, out.code, out.stderr)
	got := lines(out.stdout)
	require.Equal(t, []string{"shipname", "b", "/tmp", "1000", "5", "from the host"}, got[:6])
	require.Contains(t, out.stdout, "Read-only file system")
	require.Contains(t, out.stdout, "CapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n")
	require.Contains(t, out.stdout, "67108864\n20\n")
	require.Equal(t, "lo", got[len(got)-1], "no network but loopback")

	inside := r.run(t, "--rm", "busybox", "sh", "-c", "for n in pid mnt net ipc uts cgroup; do readlink /proc/self/ns/$n; done; stat -c %F /proc/kcore")
	for i, name := range []string{"pid", "mnt", "net", "ipc", "uts", "cgroup"} {
		own, err := os.Readlink("/proc/self/ns/" + name)
		require.NoError(t, err)
		require.NotEqual(t, own, lines(inside.stdout)[i])
	}
	place := "self" // a foreign containerd is in the machine's network, our own in its hulld's
	if r.own {
		place = fmt.Sprint(r.cmd.Process.Pid)
	}
	own, err := os.Readlink("/proc/" + place + "/ns/net")
	require.NoError(t, err)
	require.Equal(t, own+"\n", r.ok(t, "run", "--rm", "--network", "host", "busybox", "readlink", "/proc/self/ns/net"))

	for user, want := range map[string]string{"": "0 0", "1000": "1000 1000", "1000:2000": "1000 2000", ":5": "0 5", "user": "1000 1000"} {
		require.Equal(t, want+"\n", r.run(t, "--rm", "-u", user, "busybox", "sh", "-c", "echo $(id -u) $(id -g)").stdout, "user %q", user)
	}
	for _, user := range []string{"nobody-there", "4294967296", "-1", "0:4294967299"} {
		require.Equal(t, 125, r.run(t, "--rm", "-u", user, "busybox", "true").code, "user %q", user)
	}
}

func testExitCodes(t *testing.T, r *rig) {
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"busybox", "true"}, 0, ""},
		{[]string{"busybox", "sh", "-c", "exit 255"}, 255, ""},
		{[]string{"busybox", "nosuch"}, 127, `"nosuch": executable file not found`},
		{[]string{"busybox", "/no/such"}, 127, "no such file or directory"},
		{[]string{"busybox", "/etc"}, 126, `"/etc": `}, // runc: permission denied; hull-runc: is a directory
		{[]string{"nosuchimage", "true"}, 125, "hull load"},
	} {
		res := r.run(t, append([]string{"--rm"}, c.args...)...)
		require.Equal(t, c.code, res.code, "%v: %s", c.args, res.stderr)
		require.Contains(t, res.stderr, c.text)
	}
	// A failed start leaves the reason and the code where inspect finds them.
	require.Equal(t, 127, r.run(t, "--name", "failed", "busybox", "nosuch").code)
	require.Equal(t, "created 127\n", r.ok(t, "inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "failed"))
	r.ok(t, "rm", "failed")
}

func testTerminal(t *testing.T, r *rig) {
	run := "docker -H unix://" + r.inst.APISocket() + " run -it --rm --network none busybox "
	for _, c := range []struct {
		command, want string
		code          int
	}{
		{"stty size", "37 111", 0},
		{"sh -c 'tty; exit 7'", "/dev/pts/0", 7},
	} {
		// script(1) gives the client a real terminal.
		cmd := exec.Command("script", "-qec", "stty rows 37 cols 111; "+run+c.command, "/dev/null")
		out, _ := cmd.CombinedOutput()
		require.Equal(t, c.code, cmd.ProcessState.ExitCode(), "%s: %s", c.command, out)
		require.Contains(t, string(out), c.want)
	}
}

func testLife(t *testing.T, r *rig) {
	id := strings.TrimSpace(r.run(t, "-d", "--name", "life", "--label", "a=b", "busybox", "sleep", "1000").stdout)
	require.Len(t, id, 64)
	require.Equal(t, id[:12]+" busybox life running\n", r.ok(t, "ps", "--format", "{{.ID}} {{.Image}} {{.Names}} {{.State}}"))
	require.Equal(t, "true 0 none\n", r.ok(t, "inspect", "-f", "{{.State.Running}} {{.State.ExitCode}} {{.HostConfig.NetworkMode}}", id[:6]))
	for filter, found := range map[string]bool{
		"name=li": true, "label=a": true, "label=a=c": false, "status=running": true, "status=exited": false, "ancestor=busybox": true, "id=" + id[:4]: true,
	} {
		require.Equal(t, found, r.ok(t, "ps", "-q", "-f", filter) != "", "filter %s", filter)
	}
	res := r.docker(t, nil, "rm", "life")
	require.Equal(t, 1, res.code)
	require.Contains(t, res.stderr, "container is running")

	status, _ := r.get(t, "POST", "/containers/life/start", "")
	require.Equal(t, 304, status)
	r.ok(t, "stop", "-t", "0", "life")
	status, _ = r.get(t, "POST", "/containers/life/stop", "")
	require.Equal(t, 304, status)
	require.Equal(t, "137\n", r.ok(t, "wait", "life"))
	require.Contains(t, r.docker(t, nil, "kill", "life").stderr, "is not running")
	status, _ = r.get(t, "POST", "/containers/life/kill", "")
	require.Equal(t, 409, status)

	r.ok(t, "start", "life")
	for signal, status := range map[string]int{"FOO": 400, "0": 400, "65": 400, "SIGWINCH": 204} {
		got, text := r.get(t, "POST", "/containers/life/kill?signal="+signal, "")
		require.Equal(t, status, got, "%s: %s", signal, text)
	}
	r.ok(t, "rename", "life", "renamed")
	require.NotZero(t, r.docker(t, nil, "rename", "renamed", "renamed").code)
	r.ok(t, "rm", "-f", "renamed")

	// The container's own signal, caught: its code is the program's. The three ways to write it are one.
	for _, signal := range []string{"SIGRTMIN+3", "RTMIN+3", "37"} {
		r.run(t, "-d", "--name", "catch", "--stop-signal", signal, "busybox", "sh", "-c", "trap 'exit 42' 37; echo ready; while true; do usleep 10000; done")
		follow(t, r, "catch", "ready")
		r.ok(t, "stop", "-t", "60", "catch")
		require.Equal(t, "42\n", r.ok(t, "wait", "catch"), signal)
		r.ok(t, "rm", "catch")
	}
}

// follow reads `docker logs -f` until the line has come.
func follow(t *testing.T, r *rig, name, line string) {
	cmd := exec.Command("docker", "-H", "unix://"+r.inst.APISocket(), "logs", "-f", name)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var seen strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(seen.String(), line+"\n") {
		n, err := out.Read(buf)
		seen.Write(buf[:n])
		require.NoError(t, err, seen.String())
	}
	cmd.Process.Kill()
	cmd.Wait()
}

func testNames(t *testing.T, r *rig) {
	r.run(t, "-d", "--name", "taken", "busybox", "sleep", "1000")
	res := r.run(t, "--name", "taken", "busybox", "true")
	require.Equal(t, 125, res.code)
	require.Contains(t, res.stderr, `Conflict. The container name "/taken" is already in use`)
	require.Equal(t, 125, r.run(t, "--name", "ä/b", "busybox", "true").code)
	r.ok(t, "rm", "-f", "taken")
	require.Contains(t, r.docker(t, nil, "rm", "taken").stderr, "No such container: taken")
}

func testTwoAtOnce(t *testing.T, r *rig) {
	var wg sync.WaitGroup
	results := make([]result, 6)
	for i := range results {
		wg.Add(1)
		go func() { // three race for one name, three run
			defer wg.Done()
			if i%2 == 0 {
				results[i] = r.run(t, "-d", "--name", "race", "busybox", "sleep", "1000")
			} else {
				results[i] = r.run(t, "--rm", "busybox", "echo", "x")
			}
		}()
	}
	wg.Wait()
	won := 0
	for i, res := range results {
		switch {
		case i%2 == 1:
			require.Equal(t, result{"x\n", "", 0}, res)
		case res.code == 0:
			won++
		default:
			require.Contains(t, res.stderr, "is already in use")
		}
	}
	require.Equal(t, 1, won)
	r.ok(t, "rm", "-f", "race")
}

func hexSum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hexOf(sum[:])
}

// The client's half-close is the end of the container's input and of nothing else.
func testStdin(t *testing.T, r *rig) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 128<<10)
	res := r.docker(t, bytes.NewReader(big), "run", "-i", "--rm", "--network", "none", "busybox", "cat")
	require.Zero(t, res.code, res.stderr)
	require.Equal(t, hexSum(string(big)), hexSum(res.stdout))

	// A program that leaves its input unread: its output is whole, and the client sees no reset.
	res = r.docker(t, bytes.NewReader(bytes.Repeat([]byte("a line of many\n"), 1<<19)), "run", "-i", "--rm", "--network", "none", "busybox", "head", "-n1")
	require.Equal(t, result{"a line of many\n", "", 0}, res)

	// Input alone is attached; the log has the output.
	r.docker(t, strings.NewReader("between\n"), "run", "-i", "-a", "stdin", "--name", "in", "--network", "none", "busybox", "sh", "-c", "echo start; cat; echo end")
	r.ok(t, "wait", "in")
	require.Equal(t, "start\nbetween\nend\n", r.ok(t, "logs", "in"))
	r.ok(t, "rm", "in")
}

// hulld starts again a companion that dies; containers do not notice, and an exit meanwhile is not lost.
func testCompanions(t *testing.T, r *rig) {
	r.run(t, "-d", "--name", "on", "busybox", "sleep", "1000")
	r.run(t, "-d", "--name", "off", "busybox", "sh", "-c", "echo ready; while [ ! -e /go ]; do usleep 10000; done; exit 11")
	follow(t, r, "off", "ready")
	on, off := strings.TrimSpace(r.ok(t, "inspect", "-f", "{{.State.Pid}}", "on")), strings.TrimSpace(r.ok(t, "inspect", "-f", "{{.State.Pid}}", "off"))
	old := r.companion(t, "hull-containerd")
	require.NoError(t, syscall.Kill(old, syscall.SIGKILL))
	require.NoError(t, exec.Command("touch", "/proc/"+off+"/root/go").Run())
	require.Equal(t, "11\n", r.ok(t, "wait", "off"))
	require.NotEqual(t, old, r.companion(t, "hull-containerd"))
	require.Equal(t, on, strings.TrimSpace(r.ok(t, "inspect", "-f", "{{.State.Pid}}", "on")))
	require.Equal(t, result{"x\n", "", 0}, r.run(t, "--rm", "busybox", "echo", "x"))
	r.ok(t, "rm", "-f", "on", "off")
}
