package command_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// running is a container whose first process sleeps, of the runtime as it is or of another build of it.
func running(t *testing.T, change func(*specs.Spec), bin ...string) (b *bench, id string, pid int) {
	b = newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sleep", "1000"}
		if change != nil {
			change(s)
		}
	})
	for _, b.bin = range bin {
	}
	id = b.id("c")
	pid, _ = b.create(id)
	b.must("start", id)
	t.Cleanup(func() {
		b.run("delete", "--force", id)
		var ws unix.WaitStatus
		unix.Wait4(pid, &ws, 0, nil)
	})
	return b, id, pid
}

// exits runs exec in the foreground.
func (b *bench) exits(args ...string) (out, errs string, code int) {
	b.t.Helper()
	out, errs, err := b.run(append([]string{"exec"}, args...)...)
	code = 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else {
		require.NoError(b.t, err)
	}
	return out, errs, code
}

// process writes a process document.
func (b *bench) process(change func(*specs.Process), args ...string) string {
	p := *b.spec.Process
	p.Args = args
	if change != nil {
		change(&p)
	}
	text, err := json.Marshal(p)
	require.NoError(b.t, err)
	file := filepath.Join(b.dir(), "process.json")
	require.NoError(b.t, os.WriteFile(file, text, 0o644))
	return file
}

// detached runs exec as a shim does; the process is this test's child afterwards.
func (b *bench) detached(id, process string, flags ...string) (pid int, out *os.File, err error) {
	b.t.Helper()
	out = b.temp()
	errs := b.temp()
	defer errs.Close()
	pidFile := filepath.Join(b.dir(), "pid")
	args := append([]string{"--root", b.root, "exec", "--process", process, "--detach", "--pid-file", pidFile}, flags...)
	cmd := exec.Command(b.bin, append(args, id)...)
	cmd.Env = append(os.Environ(), b.env...)
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Run(); err != nil {
		return 0, out, fmt.Errorf("%w: %s", err, contents(b.t, errs))
	}
	pid, err = strconv.Atoi(read(b.t, pidFile))
	require.NoError(b.t, err)
	return pid, out, nil
}

// The process is in all of the container's namespaces and cgroups and has its confinement, as seen from outside; nothing of the runtime's is
// left with it.
func TestExecJoinsAll(t *testing.T) {
	b, id, first := running(t, func(s *specs.Spec) {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"unshare"}, Action: specs.ActErrno}}}
		s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 333, Hard: 444}}
	})
	pid, _, err := b.detached(id, b.process(nil, "sleep", "1000"))
	require.NoError(t, err)
	ours, theirs := fmt.Sprintf("/proc/%d/", pid), fmt.Sprintf("/proc/%d/", first)
	for _, ns := range []string{"mnt", "pid", "net", "ipc", "uts", "cgroup"} {
		require.Equal(t, link(t, theirs+"ns/"+ns), link(t, ours+"ns/"+ns), ns)
		require.NotEqual(t, link(t, "/proc/self/ns/"+ns), link(t, ours+"ns/"+ns), ns)
	}
	require.Equal(t, read(t, theirs+"cgroup"), read(t, ours+"cgroup"))
	require.Contains(t, read(t, ours+"limits"), "Max open files            333                  444")
	require.Equal(t, "/", link(t, ours+"root"))
	require.Equal(t, link(t, theirs+"exe"), link(t, ours+"exe"))
	for _, field := range []string{"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "Umask"} {
		require.Equal(t, statusField(t, first, field), statusField(t, pid, field), field)
	}
	require.Equal(t, strconv.Itoa(os.Getpid()), statusField(t, pid, "PPid"), "the runtime has left it to us")
	require.NotEqual(t, statusField(t, pid, "NSpid"), strconv.Itoa(pid), "a number of its own inside")
	require.Regexp(t, `^\d+ \(sleep\) . \d+ (\d+) (\d+) `, read(t, ours+"stat"))
	open, err := os.ReadDir(ours + "fd")
	require.NoError(t, err)
	require.Len(t, open, 3)
	require.NoError(t, unix.Kill(pid, unix.SIGTERM))
	require.Equal(t, 143, reap(t, pid))
}

func statusField(t *testing.T, pid int, name string) string {
	for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/status", pid))) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no field %s", name)
	return ""
}

// In the foreground: streams, exit codes, what the flags change.
func TestExecForeground(t *testing.T) {
	b, id, _ := running(t, nil)
	for _, row := range []struct {
		args []string
		out  string
		code int
	}{
		{[]string{"sh", "-c", "echo out; exit 7"}, "out\n", 7},
		{[]string{"sh", "-c", "kill -9 $$"}, "", 137},
		{[]string{"sh", "-c", "echo $A $PATH $HOME; pwd; hostname"}, "b /usr/bin:/bin /root\n/\nbox\n", 0},
	} {
		out, errs, code := b.exits(append([]string{id}, row.args...)...)
		require.Equal(t, row.code, code, errs)
		require.Equal(t, row.out, out)
	}
	out, _, code := b.exits("-e", "B=c d", "--cwd", "/tmp", "-u", "1000:5", "-g", "7", "--no-new-privs", id, "sh", "-c", `echo "$B"; pwd; id -u; id -G; grep -E "NoNew|CapEff" /proc/self/status`)
	require.Equal(t, 0, code)
	require.Equal(t, "c d\n/tmp\n1000\n5 7\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n", out)
	out, _, _ = b.exits("--cap", "CAP_NET_ADMIN", id, "grep", "CapEff", "/proc/self/status")
	require.Equal(t, "CapEff:\t00000000a80435fb\n", out)

	for program, want := range map[string]string{
		"nosuch": `exec: "nosuch": executable file not found in $PATH`, "/bin/nosuch": "no such file or directory",
		"/bin": `exec: "/bin": is a directory`, "/etc/passwd": `exec: "/etc/passwd": permission denied`,
	} {
		_, errs, code := b.exits(id, program)
		require.Equal(t, 255, code)
		require.Contains(t, errs, want)
		require.Equal(t, 1, strings.Count(errs, "\n"))
	}
	_, errs, code := b.exits("--cwd", "/nosuch", id, "true")
	require.Equal(t, 255, code)
	require.Contains(t, errs, "/nosuch")
	_, errs, _ = b.exits("--apparmor", "x", id, "true")
	require.Contains(t, errs, "process.apparmorProfile: this")
	_, errs, _ = b.exits(id)
	require.Contains(t, errs, "process args cannot be empty")
	require.NoDirExists(t, b.bundle+"/rootfs/nosuch", "exec makes no directory")
}

// The terminal is from the container's devpts, the controlling one, and has its size before the program runs.
func TestExecTerminal(t *testing.T) {
	b, id, _ := running(t, nil)
	socket := t.TempDir() + "/s"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)
	defer l.Close()
	process := b.process(func(p *specs.Process) { p.Terminal, p.ConsoleSize = true, &specs.Box{Height: 37, Width: 111} },
		"sh", "-c", "tty; stty size; cat /proc/self/stat | cut -d' ' -f7; read line; echo got $line; read line")
	require.NoError(t, os.Symlink("busybox", b.bundle+"/rootfs/bin/cut"))
	pid, _, err := b.detached(id, process, "--console-socket", socket)
	require.NoError(t, err)
	master := receiveMaster(t, l)
	var seen strings.Builder
	buf := make([]byte, 1024)
	until := func(text string) {
		for !strings.Contains(seen.String(), text) {
			n, err := master.Read(buf)
			require.NoError(t, err, seen.String())
			seen.Write(buf[:n])
		}
	}
	until("/dev/pts/0\r\n37 111\r\n34816\r\n")
	_, err = master.WriteString("hi\n")
	require.NoError(t, err)
	until("got hi\r\n")
	master.Close()
	require.Equal(t, 129, reap(t, pid), "the terminal hangs up with its master: SIGHUP for the leader of its session")
}

// Paused, stopped and missing containers are refused in runc's words.
func TestExecRefused(t *testing.T) {
	b, id, pid := running(t, nil)
	b.must("pause", id)
	require.Equal(t, "paused", string(b.status(id).Status))
	_, errs, code := b.exits(id, "true")
	require.Equal(t, 255, code)
	require.Contains(t, errs, "cannot exec in a paused container (use --ignore-paused to override)")
	b.must("resume", id)
	require.Contains(t, b.fails("resume", id), "container not paused")
	require.Equal(t, "running", string(b.status(id).Status))
	_, _, code = b.exits(id, "true")
	require.Equal(t, 0, code)
	b.must("kill", id, "KILL")
	require.Equal(t, 137, reap(t, pid))
	_, errs, code = b.exits(id, "true")
	require.Equal(t, 255, code)
	require.Contains(t, errs, "cannot exec in a stopped container")
	require.Contains(t, b.fails("pause", id), "container not running")
	_, errs, _ = b.exits("nosuch", "true")
	require.Contains(t, errs, "container does not exist")
}
