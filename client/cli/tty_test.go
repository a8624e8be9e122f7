package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"hull/client/engine"
	"hull/stages/probetest"
)

// openPTY makes a pseudo-terminal (pts(4)): the master, which plays the user, and the slave, which is the program's terminal.
func openPTY(t *testing.T, rows, cols uint16) (master, slave *os.File) {
	t.Helper()
	m, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(m, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}))
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	master = os.NewFile(uintptr(m), "ptmx")
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

// terminal types into `hull run -it` on a real terminal.
func terminal(t *testing.T, c *engine.Client) {
	hull := probetest.Build(t, "hull")

	master, slave := openPTY(t, 37, 111)
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	cmd := exec.Command(hull, "-H", "unix://"+c.Socket, "run", "-it", "--name", "term", "busybox", "sh")
	cmd.Env = append(os.Environ(), "HULL_ROOT="+t.TempDir())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	require.NoError(t, cmd.Start())
	r := bufio.NewReader(master)
	var seen strings.Builder
	until := func(word string) {
		t.Helper()
		from := seen.Len()
		for !strings.Contains(seen.String()[from:], word) {
			b, err := r.ReadByte()
			require.NoError(t, err, "waiting for %q; so far: %q", word, seen.String())
			seen.WriteByte(b)
		}
	}
	typed := func(s string) { _, err := io.WriteString(master, s); require.NoError(t, err) }

	until("# ")
	// dockerd 20.10 learns the size only from the resize that follows the start: it may come after the prompt.
	typed("until [ \"$(stty size)\" = '37 111' ]; do :; done; echo size-$((0+1))\r")
	until("size-1\r\n")
	// ^C goes to the program in the container, not to the client.
	typed("trap 'echo got-$((40+2))' INT\r")
	until("INT\r\n")
	until("# ")
	typed("\x03")
	typed("\r")
	until("got-42")
	// The window changes, and the container's terminal with it.
	require.NoError(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 20, Col: 50}))
	typed("until [ \"$(stty size)\" = '20 50' ]; do :; done; echo size-$((1+1))\r")
	until("size-2\r\n")
	// ctrl-p ctrl-q leaves it running, and the terminal is as it was.
	typed("\x10\x11")
	require.NoError(t, cmd.Wait())
	after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	require.Equal(t, before, after)
	d, err := c.Details(t.Context(), "term")
	require.NoError(t, err)
	require.True(t, d.State.Running)
	require.NoError(t, c.Remove(t.Context(), "term", true, true))
}

// signals: a signal that reaches the client reaches the container, and the container's answer is the exit code.
func signals(t *testing.T, c *engine.Client) {
	cmd := exec.Command(probetest.Build(t, "hull"), "-H", "unix://"+c.Socket, "run", "--rm", "busybox", "sh", "-c",
		`trap "exit 9" TERM; trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done`)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	r := bufio.NewReader(out)
	for _, step := range []struct {
		want string
		sig  syscall.Signal
	}{{"ready\n", syscall.SIGUSR1}, {"usr1\n", syscall.SIGTERM}} {
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, step.want, line)
		require.NoError(t, cmd.Process.Signal(step.sig))
	}
	require.Error(t, cmd.Wait())
	require.Equal(t, 9, cmd.ProcessState.ExitCode())
}
