package command_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A bench is one runtime, one bundle of busybox, and one directory of states, watched from outside.
type bench struct {
	t      *testing.T
	bin    string
	root   string
	bundle string
	prefix string // of every id, and so of every cgroup
	env    []string
	spec   *specs.Spec
	user   int // 0, or the ordinary user as whom the runtime runs
}

var built struct {
	once sync.Once
	path string
}

func TestMain(m *testing.M) {
	if os.Getenv(envProbe) != "" {
		os.Exit(probe())
	}
	// The first process of a container becomes an orphan when create exits; as a subreaper the test is its new parent, as a shim is.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	code := m.Run()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

// hullRunc builds the binary once.
func hullRunc(t *testing.T) string {
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "hull-runc")
		require.NoError(t, err)
		text, err := os.ReadFile(probetest.Build(t, "hull-runc"))
		require.NoError(t, err)
		built.path = filepath.Join(dir, "hull-runc")
		require.NoError(t, os.WriteFile(built.path, text, 0o755))
	})
	require.NotEmpty(t, built.path)
	return built.path
}

// newBench makes a bundle; change may alter its specification. At the test's end it checks that nothing is left.
func newBench(t *testing.T, change func(*specs.Spec)) *bench {
	t.Helper()
	probetest.Need(t, "root", "busybox")
	dir := t.TempDir()
	b := &bench{t: t, bin: hullRunc(t), root: dir + "/state", bundle: dir + "/bundle", prefix: fmt.Sprintf("hrt%d-%s", os.Getpid(), filepath.Base(filepath.Dir(dir)))}
	rootfs := b.bundle + "/rootfs"
	for _, d := range []string{"bin", "etc", "tmp", "root", "home", "proc", "sys", "dev", "vol"} {
		require.NoError(t, os.MkdirAll(filepath.Join(rootfs, d), 0o755))
	}
	text, err := os.ReadFile(probetest.Tools() + "/bin/busybox")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(rootfs+"/bin/busybox", text, 0o755))
	for _, applet := range []string{"sh", "echo", "cat", "ls", "id", "sleep", "true", "false", "mount", "stat", "touch", "env", "hostname", "pwd", "tty", "grep", "stty", "umask", "readlink", "mkdir", "ip", "ping", "ifconfig", "kill", "wc", "sort", "tr"} {
		require.NoError(t, os.Symlink("busybox", rootfs+"/bin/"+applet))
	}
	require.NoError(t, os.WriteFile(rootfs+"/etc/passwd", []byte("root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n"), 0o644))
	b.spec = defaultSpec()
	if change != nil {
		change(b.spec)
	}
	b.writeSpec()
	before := hostMounts(t)
	t.Cleanup(func() {
		b.noneLeft()
		require.Equal(t, before, hostMounts(t), "the host's mounts changed")
	})
	return b
}

func (b *bench) writeSpec() {
	text, err := json.Marshal(b.spec)
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(b.bundle+"/config.json", text, 0o644))
}

// defaultSpec is what docker asks for by default, without the network.
func defaultSpec() *specs.Spec {
	caps := []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
		"CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
	}
	usual := []string{"nosuid", "noexec", "nodev"}
	s := &specs.Spec{
		Version: "1.0.2", Hostname: "box", Root: &specs.Root{Path: "rootfs"},
		Process: &specs.Process{
			Args: []string{"true"}, Cwd: "/", Env: []string{"PATH=/usr/bin:/bin", "A=b"},
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: usual},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: append(usual, "ro")},
			{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: append(usual, "ro")},
			{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: usual},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: append(usual, "mode=1777", "size=67108864")},
		},
		Linux: &specs.Linux{
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace},
				{Type: specs.MountNamespace},
				{Type: specs.NetworkNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
				{Type: specs.CgroupNamespace},
			},
			MaskedPaths:   []string{"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"},
			ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	return s
}

// id is a container's id of this test, and also where its cgroups are.
func (b *bench) id(name string) string {
	id := b.prefix + "." + name
	if b.spec.Linux != nil {
		b.spec.Linux.CgroupsPath = "/" + id
	}
	b.writeSpec()
	return id
}

// run is one command of the runtime, with its standard streams apart.
func (b *bench) run(args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(b.bin, append([]string{"--root", b.root}, args...)...)
	return b.exec(cmd)
}

// exec runs a command whose output goes to files, not pipes: the container inherits them, and a pipe would not end with the runtime.
func (b *bench) exec(cmd *exec.Cmd) (stdout, stderr string, err error) {
	out, errs := b.temp(), b.temp()
	defer out.Close()
	defer errs.Close()
	cmd.Env = append(os.Environ(), b.env...)
	cmd.Stdout, cmd.Stderr = out, errs
	err = cmd.Run()
	return contents(b.t, out), contents(b.t, errs), err
}

func (b *bench) temp() *os.File {
	// O_APPEND: a program that opens /dev/stdout again has an offset of its own.
	f, err := os.OpenFile(filepath.Join(b.t.TempDir(), "out"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(b.t, err)
	return f
}

// dir is a new directory that the runtime can write in.
func (b *bench) dir() string {
	dir := b.t.TempDir()
	if b.user != 0 {
		require.NoError(b.t, os.Chmod(filepath.Dir(dir), 0o755)) // up to here the test's own
		require.NoError(b.t, os.Chown(dir, b.user, b.user))
	}
	return dir
}

func contents(t *testing.T, f *os.File) string {
	_, err := f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	return string(text)
}

// create creates a container and returns its pid; its output goes to the returned file.
func (b *bench) create(id string, flags ...string) (pid int, out *os.File) {
	b.t.Helper()
	out = b.temp()
	errs := b.temp()
	pidFile := filepath.Join(b.dir(), "pid")
	args := append([]string{"--root", b.root, "create", "--bundle", b.bundle, "--pid-file", pidFile}, flags...)
	cmd := exec.Command(b.bin, append(args, id)...)
	cmd.Env = append(os.Environ(), b.env...)
	cmd.Stdout, cmd.Stderr = out, errs
	err := cmd.Run()
	require.NoError(b.t, err, contents(b.t, errs))
	text, err := os.ReadFile(pidFile)
	require.NoError(b.t, err)
	_, err = fmt.Sscan(string(text), &pid)
	require.NoError(b.t, err)
	b.t.Cleanup(func() {
		if b.t.Failed() {
			b.run("delete", "--force", id)
			unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	})
	return pid, out
}

// must is run for a command that has to succeed.
func (b *bench) must(args ...string) string {
	b.t.Helper()
	out, errs, err := b.run(args...)
	require.NoError(b.t, err, errs)
	return out
}

// fails is run for a command that has to fail, with one line on standard error.
func (b *bench) fails(args ...string) string {
	b.t.Helper()
	out, errs, err := b.run(args...)
	var exit *exec.ExitError
	require.True(b.t, errors.As(err, &exit), "no failure: %s", out)
	require.Equal(b.t, 1, exit.ExitCode(), errs)
	require.Equal(b.t, 1, strings.Count(errs, "\n"), "not one line: %s", errs)
	return strings.TrimSpace(errs)
}

// inside runs a script as a whole container and returns what it printed and its exit code.
func (b *bench) inside(name, script string) (string, int) {
	b.t.Helper()
	b.spec.Process.Args = []string{"sh", "-c", script}
	id := b.id(name)
	pid, out := b.create(id)
	b.must("start", id)
	code := reap(b.t, pid)
	b.must("delete", id)
	return contents(b.t, out), code
}

// reap waits for the container's first process, as the shim does.
func reap(t *testing.T, pid int) int {
	var ws unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &ws, 0, nil)
		if err == unix.EINTR {
			continue
		}
		require.NoError(t, err)
		if ws.Signaled() {
			return 128 + int(ws.Signal())
		}
		return ws.ExitStatus()
	}
}

// states are the names below a runtime's root, but for the cache of compiled filters.
func states(root string) (names []string) {
	entries, _ := os.ReadDir(root)
	for _, e := range entries {
		if e.Name() != "cache:seccomp" {
			names = append(names, e.Name())
		}
	}
	return names
}

// noneLeft looks for what a container of this test could have left behind.
func (b *bench) noneLeft() {
	require.Empty(b.t, states(b.root), "states are left")
	for _, top := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		groups, err := filepath.Glob(top + b.prefix + "*")
		require.NoError(b.t, err)
		require.Empty(b.t, groups, "cgroups are left")
	}
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range procs {
		line, _ := os.ReadFile(p)
		require.False(b.t, bytes.Contains(line, []byte(b.root)), "a process is left: %s: %q", p, line)
	}
}

// hostMounts are the mount points of our own mount namespace, but other tests' own.
func hostMounts(t *testing.T) []string { return mountPoints(t, "self") }

// mountPoints are those of a process.
func mountPoints(t *testing.T, pid string) (points []string) {
	text, err := os.ReadFile("/proc/" + pid + "/mountinfo")
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if point := strings.Fields(line)[4]; !strings.HasPrefix(point, "/tmp/") || strings.HasPrefix(point, filepath.Dir(t.TempDir())) {
			points = append(points, point)
		}
	}
	return points
}
