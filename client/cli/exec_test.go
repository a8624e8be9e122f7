package cli_test

import (
	"bufio"
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

// execTerminal types into `hull exec -it` on a real terminal.
func execTerminal(t *testing.T, c *engine.Client, daemon string) {
	made, err := c.Create(t.Context(), "execterm", "", engine.CreateRequest{Image: "busybox", Cmd: []string{"sleep", "1000"}, HostConfig: engine.HostConfig{NetworkMode: "none"}})
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), made.ID))
	defer func() { require.NoError(t, c.Remove(t.Context(), made.ID, true, true)) }()

	master, slave := openPTY(t, 37, 111)
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	r := bufio.NewReader(master)
	var seen strings.Builder
	until := func(word string) {
		t.Helper()
		for from := seen.Len(); !strings.Contains(seen.String()[from:], word); {
			b, err := r.ReadByte()
			require.NoError(t, err, "waiting for %q; so far: %q", word, seen.String())
			seen.WriteByte(b)
		}
	}
	typed := func(s string) { _, err := io.WriteString(master, s); require.NoError(t, err) }
	hull := func(args ...string) *exec.Cmd {
		cmd := exec.Command(probetest.Build(t, "hull"), append([]string{"-H", "unix://" + c.Socket, "exec", "-it"}, args...)...)
		cmd.Env = append(os.Environ(), "HULL_ROOT="+t.TempDir())
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
		require.NoError(t, cmd.Start())
		return cmd
	}

	if daemon == "hulld" { // the very first instruction finds the size
		cmd := hull("execterm", "stty", "size")
		until("37 111\r\n")
		require.NoError(t, cmd.Wait())
	}
	cmd := hull("-e", "PS1=prompt-$ ", "execterm", "sh")
	until("prompt-$ ")
	typed("until [ \"$(stty size)\" = '37 111' ]; do :; done; echo size-$((0+1))\r")
	until("size-1\r\n")
	typed("trap 'echo got-$((40+2))' INT\r")
	until("INT\r\n")
	until("prompt-$ ")
	typed("\x03")
	typed("\r")
	until("got-42")
	require.NoError(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 20, Col: 50}))
	typed("until [ \"$(stty size)\" = '20 50' ]; do :; done; echo size-$((1+1))\r")
	until("size-2\r\n")
	typed("exit 9\r")
	require.Error(t, cmd.Wait())
	require.Equal(t, 9, cmd.ProcessState.ExitCode())

	// The detach keys leave the program running, and the terminal as it was.
	cmd = hull("--detach-keys", "ctrl-x,x", "execterm", "sh", "-c", "echo there; exec sleep 777")
	until("there\r\n")
	typed("\x18x")
	until("read escape sequence")
	require.Error(t, cmd.Wait())
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
	after, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	require.Equal(t, before, after)
	top, err := c.Top(t.Context(), "execterm", "")
	require.NoError(t, err)
	require.Len(t, top.Processes, 2)
}
