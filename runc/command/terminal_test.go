package command_test

import (
	"bufio"
	"net"
	"os"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// receiveMaster takes the terminal's master from the console socket, as a shim does.
func receiveMaster(t *testing.T, l *net.UnixListener) *os.File {
	c, err := l.AcceptUnix()
	require.NoError(t, err)
	defer c.Close()
	text, control := make([]byte, 4096), make([]byte, 256)
	_, n, _, _, err := c.ReadMsgUnix(text, control)
	require.NoError(t, err)
	messages, err := unix.ParseSocketControlMessage(control[:n])
	require.NoError(t, err)
	require.Len(t, messages, 1)
	fds, err := unix.ParseUnixRights(&messages[0])
	require.NoError(t, err)
	require.Len(t, fds, 1)
	return os.NewFile(uintptr(fds[0]), "master")
}

// The terminal is from the container's own devpts, is the controlling one, has the size that was asked for, and hangs up with the master.
func TestTerminal(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Terminal = true
		s.Process.ConsoleSize = &specs.Box{Height: 33, Width: 77}
		s.Process.User = specs.User{UID: 1000, GID: 1000}
		s.Process.Args = []string{"sh", "-c", `tty; stty size; stat -c '%t:%T %u' /dev/console; [ /dev/console -ef /dev/pts/0 ] && echo same; cat /proc/self/stat | cut -d' ' -f7; read line; echo "got $line"; read line || exit 42`}
	})
	require.NoError(t, os.Symlink("busybox", b.bundle+"/rootfs/bin/cut"))
	socket := t.TempDir() + "/console.sock"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)
	defer l.Close()
	id := b.id("tty")
	pid, out := b.create(id, "--console-socket", socket)
	master := receiveMaster(t, l)
	b.must("start", id)
	_, err = master.WriteString("hello\n")
	require.NoError(t, err)
	r := bufio.NewReader(master)
	var lines []string
	for len(lines) < 7 {
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		if line = strings.TrimRight(line, "\r\n"); line != "hello" { // the echo, which comes when it wants
			lines = append(lines, line)
		} else {
			lines = append(lines, "")
		}
	}
	var said []string
	for _, line := range lines {
		if line != "" {
			said = append(said, line)
		}
	}
	require.Equal(t, []string{"/dev/pts/0", "33 77", "88:0 1000", "same", "34816", "got hello"}, said)
	require.NoError(t, master.Close())
	require.Equal(t, 42, reap(t, pid), "the terminal must hang up when the master is closed: nobody else holds it")
	b.must("delete", id)
	require.Empty(t, contents(t, out))
}
