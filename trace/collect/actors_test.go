package collect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The test binary is also the small programs that the tests trace, under the names by which stages are recognised.
func TestMain(m *testing.M) {
	actors := map[string]func() error{"hull-shim": actShim, "liar-runc": actLiar, "orphaner": actOrphaner, "flood": actFlood}
	if act, ok := actors[filepath.Base(os.Args[0])]; ok {
		if err := act(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if program != "" {
		os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// actor makes the test binary executable under another name.
func actor(t *testing.T, name string) string {
	self, err := os.Executable()
	require.NoError(t, err)
	to := filepath.Join(t.TempDir(), name)
	if os.Link(self, to) == nil {
		return to
	}
	from, err := os.Open(self)
	require.NoError(t, err)
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(f, from)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return to
}

// actShim does what a shim does around a runtime, in the order in which it must be done: subreaper, create, start, wait, record, delete.
// Arguments: RUNTIME ROOT BUNDLE ID.
func actShim() error {
	runtime, root, bundle, id := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	run := func(args ...string) error {
		cmd := exec.Command(runtime, append([]string{"--root", root}, args...)...)
		cmd.Env, cmd.Stdin = os.Environ(), os.Stdin
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	}
	pidFile := filepath.Join(bundle, "init.pid")
	if err := run("create", "--bundle", bundle, "--pid-file", pidFile, id); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return err
	}
	if err := run("start", id); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return err
	}
	if os.Getenv("SHIM") == "forgetful" {
		return run("delete", id)
	}
	record := fmt.Sprintf(`{"pid": %d, "status": %d, "exitedAt": "2026-01-02T03:04:05Z"}`, pid, status.ExitStatus())
	if err := os.WriteFile(filepath.Join(bundle, "exit.json"), []byte(record), 0o600); err != nil {
		return err
	}
	return run("delete", id)
}

// actLiar is a runtime that claims every step of the catalogue's runc and does none but to leave a process behind.
func actLiar() error {
	rec, parent := span.FromEnv("liar-runc")
	ctx := rec.Join(context.Background(), parent)
	for _, s := range stages.All() {
		if s.Stage == stages.Runc {
			_, sp := span.Start(ctx, s.ID)
			sp.End(nil)
		}
	}
	rec.Close()
	return nil
}

// actOrphaner becomes a subreaper, has a child fork a grandchild and die, and takes the grandchild's status.
func actOrphaner() error {
	if len(os.Args) > 1 { // the child: it leaves a process behind
		sh := exec.Command("/bin/sh", "-c", "read line; exit 7")
		sh.Stdin = os.Stdin
		return sh.Start()
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	if os.Getenv("ORPHANER") == "deaf" {
		signal.Ignore(unix.SIGCHLD) // children are reaped by the kernel, and every wait ends in ECHILD (wait(2), NOTES)
	}
	cmd := exec.Command("/proc/self/exe", "child")
	cmd.Args[0], cmd.Stdin = "orphaner", os.Stdin
	if err := cmd.Run(); err != nil && !errors.Is(err, unix.ECHILD) {
		return err
	}
	fmt.Println("alone") // now whoever holds our standard input may end the orphan
	var status unix.WaitStatus
	if _, err := unix.Wait4(-1, &status, 0, nil); err != nil && err != unix.ECHILD {
		return err
	}
	return nil
}

// actFlood makes 200,000 recorded system calls as fast as it can.
func actFlood() error {
	for range 200_000 {
		unix.Prctl(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	}
	return nil
}

// bundle makes an OCI bundle of busybox that runs a shell line, and a cgroup path of the test's own.
func bundle(t *testing.T, line string) (dir, id string) {
	dir = t.TempDir()
	id = "hull-trace-test-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	bin := filepath.Join(dir, "rootfs/bin")
	require.NoError(t, os.MkdirAll(bin, 0o755))
	for _, d := range []string{"proc", "dev", "sys", "etc", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "rootfs", d), 0o755))
	}
	busybox, err := os.ReadFile(filepath.Join(probetest.Tools(), "bin/busybox"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "busybox"), busybox, 0o755))
	require.NoError(t, os.Symlink("busybox", filepath.Join(bin, "sh")))
	limit, pids := int64(64<<20), int64(50)
	spec := specs.Spec{
		Version:  "1.0.2",
		Root:     &specs.Root{Path: "rootfs"},
		Hostname: "glass",
		Process: &specs.Process{
			Args: []string{"/bin/sh", "-c", line}, Env: []string{"PATH=/bin"}, Cwd: "/", NoNewPrivileges: true,
			Capabilities: &specs.LinuxCapabilities{Bounding: []string{"CAP_KILL"}, Effective: []string{"CAP_KILL"}, Permitted: []string{"CAP_KILL"}},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
		},
		Linux: &specs.Linux{
			CgroupsPath: "/" + id,
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.UTSNamespace}, {Type: specs.IPCNamespace}, {Type: specs.NetworkNamespace},
			},
			Resources:   &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}, Pids: &specs.LinuxPids{Limit: &pids}},
			MaskedPaths: []string{"/proc/keys"}, ReadonlyPaths: []string{"/proc/sys"},
			Sysctl: map[string]string{"net.ipv4.ip_forward": "1"},
		},
	}
	text, err := json.Marshal(spec)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600))
	t.Cleanup(func() { requireNoCgroup(t, id) })
	return dir, id
}

// requireNoCgroup looks from outside that the container's groups are gone.
func requireNoCgroup(t *testing.T, id string) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) > 4 && strings.Contains(line, " - cgroup") {
			require.NoDirExists(t, filepath.Join(f[4], id))
		}
	}
}

// debianRunc is the foreign runtime.
func debianRunc(t *testing.T) string {
	probetest.Need(t, "root", "btf", "peers")
	return filepath.Join(probetest.Tools(), "usr/sbin/runc")
}
