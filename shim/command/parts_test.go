package command_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// readLog reads a json-file log as docker does, and joins each stream's text.
func readLog(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	text := map[string][]byte{}
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			require.Empty(t, line, "a torn record")
			break
		}
		require.NoError(t, err)
		var r struct {
			Log    string
			Stream string
			Time   time.Time
		}
		require.NoError(t, json.Unmarshal(line, &r), "%s", line)
		require.False(t, r.Time.IsZero())
		text[r.Stream] = append(text[r.Stream], r.Log...)
	}
	joined := map[string]string{}
	for stream, b := range text {
		joined[stream] = string(b)
	}
	return joined
}

// dialAttach connects and reads the hello.
func dialAttach(t *testing.T, path string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	hello := make([]byte, 8)
	_, err = io.ReadFull(c, hello)
	require.NoError(t, err)
	require.Zero(t, binary.BigEndian.Uint32(hello[4:]), "the hello is empty")
	return c
}

// readFrames reads stdcopy frames to the end.
func readFrames(t *testing.T, c net.Conn) map[string]string {
	t.Helper()
	text := map[string]string{}
	for header := make([]byte, 8); ; {
		if _, err := io.ReadFull(c, header); errors.Is(err, io.EOF) {
			return text
		} else {
			require.NoError(t, err)
		}
		payload := make([]byte, binary.BigEndian.Uint32(header[4:]))
		_, err := io.ReadFull(c, payload)
		require.NoError(t, err)
		text[[...]string{1: "stdout", 2: "stderr"}[header[0]]] += string(payload)
	}
}

func mounts(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	return string(b)
}

// openTerminal makes a pseudo-terminal pair. pty(7)
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	return master, slave
}
