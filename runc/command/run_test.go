package command_test

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// as is a command of one of the two runtimes on this bench's bundle.
func (b *bench) as(runtime string, args ...string) *exec.Cmd {
	if runtime == "runc" {
		cmd := exec.Command(probetest.Tools()+"/usr/sbin/runc", append([]string{"--root", b.root + "-runc"}, args...)...)
		cmd.Env = probetest.ToolEnv()
		return cmd
	}
	return exec.Command(b.bin, append([]string{"--root", b.root}, args...)...)
}

// code is the exit code of a command that has ended.
func code(t *testing.T, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

// run is the program's parent: its streams, its exit code. Under both runtimes the same, and afterwards nothing is left of it.
func TestRunAsRunc(t *testing.T) {
	b := newBench(t, nil)
	for name, row := range map[string]struct {
		args  []string
		stdin string
		out   string
		code  int
		never string // what the error says, where the program never runs
	}{
		"output":       {args: []string{"echo", "hi"}, out: "hi\n"},
		"code":         {args: []string{"sh", "-c", "exit 7"}, code: 7},
		"input":        {args: []string{"sh", "-c", "read a; echo got $a; cat"}, stdin: "one\ntwo\n", out: "got one\ntwo\n"},
		"missing":      {args: []string{"nosuch"}, code: 1, never: `exec: "nosuch": executable file not found in $PATH`},
		"no directory": {args: []string{"/bin/nosuch"}, code: 1, never: `exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory`},
		"unreadable":   {args: []string{"/etc/passwd"}, code: 1, never: `exec: "/etc/passwd": permission denied`},
	} {
		t.Run(name, func(t *testing.T) {
			b.spec.Process.Args = row.args
			for _, runtime := range []string{"runc", "hull-runc"} {
				id := b.id("r" + strconv.Itoa(len(name)))
				cmd := b.as(runtime, "run", "--bundle", b.bundle, id)
				cmd.Stdin = strings.NewReader(row.stdin)
				var errs strings.Builder
				cmd.Stderr = &errs
				out, err := cmd.Output()
				require.Equal(t, row.code, code(t, err), "%s: %s", runtime, errs.String())
				require.Equal(t, row.out, string(out), runtime)
				require.Contains(t, strings.ReplaceAll(errs.String(), `\"`, `"`), row.never, runtime)
				b.noneLeft()
			}
		})
	}
}

// started runs a command until the container has said its first line.
func (b *bench) started(cmd *exec.Cmd) *bufio.Reader {
	b.t.Helper()
	r, w, err := os.Pipe()
	require.NoError(b.t, err)
	b.t.Cleanup(func() { r.Close() })
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	require.NoError(b.t, cmd.Start())
	w.Close()
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	require.NoError(b.t, err)
	require.Equal(b.t, "ready\n", line)
	return out
}

// Signals to the runtime are the program's; others see the container meanwhile.
func TestRunForwardsSignals(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sh", "-c", "trap 'echo usr1' USR1; trap 'echo term; exit 9' TERM; echo ready; while :; do sleep 0.01; done"}
	})
	id, pidFile := b.id("signals"), t.TempDir()+"/pid"
	cmd := b.as("hull-runc", "run", "--bundle", b.bundle, "--pid-file", pidFile, id)
	out := b.started(cmd)
	s := b.status(id)
	require.Equal(t, specs.StateRunning, s.Status)
	require.Equal(t, strconv.Itoa(s.Pid), read(t, pidFile))
	require.Equal(t, strconv.Itoa(cmd.Process.Pid), statusField(t, s.Pid, "PPid"), "it is the runtime's child")
	require.NoError(t, cmd.Process.Signal(unix.SIGUSR1))
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "usr1\n", line)
	require.NoError(t, cmd.Process.Signal(unix.SIGTERM))
	require.Equal(t, 9, code(t, cmd.Wait()))
	require.Contains(t, b.fails("state", id), "does not exist")
}

// With --detach the container is the caller's to wait for and to delete, as after create and start.
func TestRunDetached(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	id, pidFile := b.id("detached"), t.TempDir()+"/pid"
	b.must("run", "--detach", "--bundle", b.bundle, "--pid-file", pidFile, id)
	pid, err := strconv.Atoi(read(t, pidFile))
	require.NoError(t, err)
	require.Equal(t, specs.StateRunning, b.status(id).Status)
	require.Contains(t, b.fails("run", "--bundle", b.bundle, id), "container with given ID already exists")
	b.must("kill", id, "KILL")
	require.Equal(t, 137, reap(t, pid))
	require.Equal(t, specs.StateStopped, b.status(id).Status)
	b.must("delete", id)
}

// With --keep the state stays, for those who want to look.
func TestRunKeeps(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sh", "-c", "exit 5"} })
	id := b.id("kept")
	_, _, err := b.run("run", "--keep", "--bundle", b.bundle, id)
	require.Equal(t, 5, code(t, err))
	require.Equal(t, specs.StateStopped, b.status(id).Status)
	b.must("delete", id)
}

// A runtime that is killed leaves a container that is like any other.
func TestRunKilled(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sh", "-c", "echo ready; exec sleep 1000"} })
	id := b.id("killed")
	cmd := b.as("hull-runc", "run", "--bundle", b.bundle, id)
	b.started(cmd)
	pid := b.status(id).Pid
	require.NoError(t, cmd.Process.Kill())
	require.Equal(t, -1, code(t, cmd.Wait()))
	require.Equal(t, specs.StateRunning, b.status(id).Status)
	b.must("delete", "--force", id)
	require.Equal(t, 137, reap(t, pid))
}

// Somebody else may delete the container that is being run, and even make another one of its name: that one stays.
func TestRunDeletedMeanwhile(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sh", "-c", "echo ready; exec sleep 1000"} })
	id := b.id("meanwhile")
	cmd := b.as("hull-runc", "run", "--bundle", b.bundle, id)
	b.started(cmd)
	dir, err := os.Open(b.root + "/" + id)
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(dir.Fd()), unix.LOCK_EX)) // the runtime has done with starting it
	require.NoError(t, dir.Close())
	require.NoError(t, cmd.Process.Signal(unix.SIGSTOP)) // goes to the runtime alone: it cannot be caught
	b.must("delete", "--force", id)
	pid, _ := b.create(id)
	require.NoError(t, cmd.Process.Signal(unix.SIGCONT))
	require.Equal(t, 137, code(t, cmd.Wait()))
	require.Equal(t, specs.StateCreated, b.status(id).Status)
	b.must("delete", id)
	reap(t, pid)
}

// Without a pid namespace of its own nothing ends the container's other processes with its first one: the runtime does, and reaps those
// that became its children; with --no-subreaper they become ours.
func TestRunEndsAll(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
		s.Process.Args = []string{"sh", "-c", "sh -c 'sleep 1000 & sleep 1001 &'; echo ready; read line; exit 4"}
	})
	for _, flags := range [][]string{nil, {"--no-subreaper"}} {
		id := b.id("all")
		cmd := b.as("hull-runc", append(append([]string{"run", "--bundle", b.bundle}, flags...), id)...)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		b.started(cmd)
		var pids []int
		for _, f := range strings.FieldsFunc(b.must("ps", "--format", "json", id), func(r rune) bool { return !('0' <= r && r <= '9') }) {
			pid, err := strconv.Atoi(f)
			require.NoError(t, err)
			pids = append(pids, pid)
		}
		require.Len(t, pids, 3)
		parent := cmd.Process.Pid
		if flags != nil {
			parent = os.Getpid()
		}
		require.Equal(t, strconv.Itoa(parent), statusField(t, pids[1], "PPid"))
		in.Close()
		require.Equal(t, 4, code(t, cmd.Wait()))
		for _, pid := range pids[1:] {
			if flags != nil {
				require.Equal(t, 137, reap(t, pid))
			}
			require.ErrorIs(t, unix.Kill(pid, 0), unix.ESRCH)
		}
	}
}

// In the foreground the terminal is ours: raw meanwhile, of our size and following it.
func TestRunTerminal(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Terminal = true
		s.Process.Args = []string{"sh", "-c", `tty; trap 'stty size' WINCH; until stty size | grep '33 77'; do sleep 0.01; done; read line; echo "got $line"; while :; do sleep 0.01; done`}
	})
	master, slave := openPTY(t)
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	id := b.id("tty")
	cmd := b.as("hull-runc", "run", "--bundle", b.bundle, id)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	require.NoError(t, cmd.Start())
	var seen strings.Builder
	buf := make([]byte, 1024)
	until := func(text string) {
		for !strings.Contains(seen.String(), text) {
			n, err := master.Read(buf)
			require.NoError(t, err, seen.String())
			seen.Write(buf[:n])
		}
		seen.Reset()
	}
	until("/dev/pts/0\r\n33 77\r\n")
	now, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	require.Zero(t, now.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG), "not raw")
	_, err = master.WriteString("hi\r")
	require.NoError(t, err)
	until("got hi\r\n")
	require.NoError(t, unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 44, Col: 99}))
	require.NoError(t, cmd.Process.Signal(unix.SIGWINCH)) // a kernel sends it where the terminal is the controlling one
	until("44 99\r\n")
	_, err = master.Write([]byte{3}) // ^C is a signal on the other side
	require.NoError(t, err)
	require.Equal(t, 130, code(t, cmd.Wait()))
	after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	require.Equal(t, before, after, "the caller's terminal is not as it was")
}

// The flags that go together only in part, as runc has it.
func TestRunRefused(t *testing.T) {
	b := newBench(t, nil)
	id := b.id("refused")
	require.Contains(t, b.fails("run", "--bundle", b.bundle, "--console-socket", "/x", id), "--console-socket")
	require.Contains(t, b.fails("run", "--bundle", b.bundle, "--pidfd-socket", "/nosuch/x", id), "--pidfd-socket /nosuch/x: no such file")
	require.Contains(t, b.fails("run", "--bundle", b.bundle, "--no-pivot", id), "--no-pivot")
	b.spec.Process.Terminal = true
	id = b.id("refused")
	require.Contains(t, b.fails("run", "--detach", "--bundle", b.bundle, id), "--console-socket was not given")
}

// The pidfd of --pidfd-socket is the first process's, under every verb that makes one.
func TestPIDFDSocket(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	socket := t.TempDir() + "/s"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)
	defer l.Close()
	signal := func(sig unix.Signal) {
		pidfd := receiveMaster(t, l)
		defer pidfd.Close()
		require.NoError(t, unix.PidfdSendSignal(int(pidfd.Fd()), sig, nil, 0))
	}
	id, pidFile := b.id("pidfd"), t.TempDir()+"/pid"
	b.must("run", "--detach", "--bundle", b.bundle, "--pid-file", pidFile, "--pidfd-socket", socket, id)
	first := b.status(id).Pid
	pid, _, err := b.detached(id, b.process(nil, "sleep", "1001"), "--pidfd-socket", socket)
	require.NoError(t, err)
	signal(0)
	signal(unix.SIGTERM)
	require.Equal(t, 143, reap(t, pid))
	b.must("kill", id, "KILL")
	reap(t, first)
	b.must("delete", id)
}
