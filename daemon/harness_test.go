package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hull/containerd/containerdtest"
	"hull/containerd/imagetest"
	"hull/daemon/network/networktest"
	"hull/stages/instance"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// A rig is a hulld in a private root, driven by the real docker client: in front of a real containerd with the real runc, where hull-shim
// is only the writer of logs (docs/seams.md, section 2), or in front of hull's own chain.
type rig struct {
	inst instance.Instance
	ctd  *containerdtest.Containerd // whose ctr it is; nothing but that for hull's own
	own  bool                       // hull-containerd, hull-shim and hull-runc
	bin  string
	args []string
	cmd  *exec.Cmd
	log  *os.File
	net  *networktest.Namespace // hulld's: the machine's own stays as it is
}

func newRig(t *testing.T, own bool) *rig {
	probetest.Need(t, "root", "peers", "docker")
	r := &rig{own: own, bin: t.TempDir(), net: networktest.New(t)}
	root, err := os.MkdirTemp("", "hulld")
	require.NoError(t, err)
	r.inst, err = instance.At(root)
	require.NoError(t, err)
	names := []string{"hulld", "hull-shim"}
	r.args = []string{"--root", root}
	if own {
		names = append(names, "hull-containerd", "hull-bundle", "hull-runc")
		r.ctd = &containerdtest.Containerd{Socket: r.inst.ContainerdSocket()}
	} else {
		r.ctd = containerdtest.Start(t)
		r.args = append(r.args, "--containerd", r.ctd.Socket, "--runtime", "io.containerd.runc.v2")
	}
	for _, name := range names {
		require.NoError(t, os.Rename(probetest.Build(t, name), filepath.Join(r.bin, name)))
	}
	r.log, err = os.Create(filepath.Join(r.bin, "hulld.log"))
	require.NoError(t, err)
	t.Cleanup(func() { r.down(t) })
	r.start(t)
	return r
}

// start starts hulld and waits until it answers.
func (r *rig) start(t *testing.T) {
	r.cmd = exec.Command(filepath.Join(r.bin, "hulld"), r.args...)
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, r.net.Start(r.cmd))
	for i := 0; ; i++ {
		if status, _ := r.get(t, http.MethodGet, "/_ping", ""); status == http.StatusOK {
			return
		}
		require.Less(t, i, 200, "hulld does not answer:\n%s", r.logText())
		time.Sleep(50 * time.Millisecond) // polling a program's readiness
	}
}

// kill takes hulld away as a crash would.
func (r *rig) kill() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
}

func (r *rig) logText() string {
	text, _ := os.ReadFile(r.log.Name())
	return string(text)
}

// down stops hulld and holds that nothing of the containers is left: records, streams, snapshots, cgroups.
func (r *rig) down(t *testing.T) {
	if t.Failed() {
		t.Logf("hulld's log:\n%s", r.logText())
	}
	if ids := strings.Fields(r.docker(t, nil, "ps", "-aq").stdout); len(ids) > 0 {
		t.Errorf("containers were left behind: %v", ids)
		r.docker(t, nil, append([]string{"rm", "-f"}, ids...)...)
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("hulld: SIGTERM: %v", err)
	}
	for _, dir := range []string{r.inst.RunContainers(), r.inst.LibContainers(), r.inst.Streams()} {
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: %d entries were left behind", dir, len(left))
		}
	}
	list, err := r.ctd.Ctr("-n", "hull", "snapshot", "ls")
	if err != nil || strings.Contains(list, "Active") {
		t.Errorf("active snapshots were left behind: %v\n%s", err, list)
	}
	if r.own { // it outlives hulld by design
		pid := r.companion(t, "hull-containerd")
		require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
		require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, waitLong, waitStep, "hull-containerd does not end")
		for _, dir := range []string{r.inst.Tasks() + "/hull", r.inst.RuncRoot() + "/hull", r.inst.ShimSockets()} {
			left, _ := os.ReadDir(dir)
			left = slices.DeleteFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "cache:") }) // the runtime's, for the next container
			if len(left) > 0 {
				t.Errorf("%s: %d entries were left behind", dir, len(left))
			}
		}
	}
	groups, _ := filepath.Glob("/sys/fs/cgroup/*" + r.inst.CgroupParent())
	for _, g := range groups {
		if left, _ := filepath.Glob(g + "/*/tasks"); len(left) > 0 {
			t.Errorf("cgroups were left behind: %v", left)
		}
		os.Remove(g) // the instance's own group stays for as long as the instance
	}
	os.RemoveAll(r.inst.Root)
}

// companion is the pid of a process that hulld keeps.
func (r *rig) companion(t *testing.T, name string) (pid int) {
	text, err := os.ReadFile(r.inst.PIDFile(name))
	require.NoError(t, err)
	pid, err = strconv.Atoi(lines(string(text))[0])
	require.NoError(t, err)
	return pid
}

type result struct {
	stdout, stderr string
	code           int
}

// docker runs the real client to its end; an exit code is no failure here.
func (r *rig) docker(t *testing.T, stdin io.Reader, args ...string) result {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", append([]string{"-H", "unix://" + r.inst.APISocket()}, args...)...)
	var out, text bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &text
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Errorf("docker %s: %v", strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Errorf("docker %s hangs", strings.Join(args, " "))
	}
	return result{out.String(), text.String(), cmd.ProcessState.ExitCode()}
}

// ok runs the real client, which must succeed, and returns what it printed.
func (r *rig) ok(t *testing.T, args ...string) string {
	t.Helper()
	res := r.docker(t, nil, args...)
	require.Zero(t, res.code, "docker %s: %s%s", strings.Join(args, " "), res.stdout, res.stderr)
	return res.stdout
}

// run is `docker run --network none ARGS`.
func (r *rig) run(t *testing.T, args ...string) result {
	return r.docker(t, nil, append([]string{"run", "--network", "none"}, args...)...)
}

// get is one raw request.
func (r *rig) get(t *testing.T, method, path, body string) (status int, text string) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return instance.Dial(ctx, "unix", r.inst.APISocket())
	}}}
	req, err := http.NewRequest(method, "http://hull"+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, strings.TrimSpace(string(b))
}

// load gives the rig an image from a tar.
func (r *rig) load(t *testing.T, path string) string { return r.ok(t, "load", "-i", path) }

// Each drives one hulld through everything; the subtests share it, each clears up behind itself.
func TestBeforeRealContainerd(t *testing.T) { drive(t, newRig(t, false)) }
func TestBeforeOwnChain(t *testing.T)       { drive(t, newRig(t, true)) }

func drive(t *testing.T, r *rig) {
	require.Equal(t, "Loaded image: busybox:latest\n", r.load(t, imagetest.BusyboxSave(t, "busybox:latest")))
	tests := []struct {
		name string
		run  func(*testing.T, *rig)
	}{
		{"system", testSystem},
		{"run", testRun},
		{"container is real", testContainerIsReal},
		{"exit codes", testExitCodes},
		{"terminal", testTerminal},
		{"life", testLife},
		{"logs", testLogs},
		{"images", testImages},
		{"hostile archives", testHostileArchives},
		{"pulls", testPulls},
		{"files", testFiles},
		{"events", testEvents},
		{"two at once", testTwoAtOnce},
		{"clients that leave", testClientsThatLeave},
		{"restart", testRestart},
		{"exec", testExec},
		{"exec terminal", testExecTerminal},
		{"exec restart", testExecRestart},
		{"pause restart", testPauseRestart},
	}
	type named = struct {
		name string
		run  func(*testing.T, *rig)
	}
	if r.own { // the real shim gives a container whose log goes to a program no standard input, except a terminal
		tests = append(tests, named{"stdin", testStdin}, named{"companions", testCompanions})
	} else { // what never reaches containerd needs only one
		tests = append(tests, named{"names", testNames}, named{"refused", testRefused}, named{"routes", testRoutes}, named{"bad json", testBadJSON})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, r) })
		if left := r.ok(t, "ps", "-a", "--format", "{{.ID}} {{.Names}} {{.Status}}"); left != "" {
			t.Errorf("%s: containers were left behind:\n%s", test.name, left)
			r.ok(t, append([]string{"rm", "-f"}, strings.Fields(r.ok(t, "ps", "-aq"))...)...)
		}
	}
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

// How long a test waits for what must come, and how often it looks.
const (
	waitLong = 30 * time.Second
	waitStep = 50 * time.Millisecond
)
