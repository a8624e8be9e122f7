package ttrpc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"hull/shim/ttrpc"
	"hull/shim/wire"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

func frame(length int, stream uint32, kind byte, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(length))
	return append(append(binary.BigEndian.AppendUint32(b, stream), kind, 0), body...)
}

func request(stream uint32, method string) []byte {
	body := wire.Marshal(&wire.Request{Service: service, Method: method})
	return frame(len(body), stream, 1, body)
}

// answer reads one frame.
func answer(t *testing.T, c io.Reader) (stream uint32, resp wire.Response) {
	t.Helper()
	b := make([]byte, 10)
	_, err := io.ReadFull(c, b)
	require.NoError(t, err)
	require.EqualValues(t, 2, b[8], "a response")
	body := make([]byte, binary.BigEndian.Uint32(b))
	_, err = io.ReadFull(c, body)
	require.NoError(t, err)
	require.NoError(t, wire.Unmarshal(body, &resp))
	return binary.BigEndian.Uint32(b[4:]), resp
}

func echo(t *testing.T) *rig {
	return serve(t, map[string]ttrpc.Handler{
		"Connect": ttrpc.Method(func(context.Context, *wire.ConnectRequest) (*wire.ConnectResponse, error) {
			return &wire.ConnectResponse{ShimPid: 7}, nil
		}),
	})
}

// TestBadFrames: each is answered on its stream by the code that containerd's ttrpc gives, and the next call on the connection works.
func TestBadFrames(t *testing.T) {
	r := echo(t)
	for name, bad := range map[string]struct {
		frame []byte
		code  int32
	}{
		"a message of more than 4 MiB": {frame(4<<20+1, 11, 1, make([]byte, 4<<20+1)), ttrpc.ResourceExhausted},
		"an even stream":               {request(12, "Connect"), ttrpc.InvalidArgument},
		"a stream that was used":       {request(5, "Connect"), ttrpc.InvalidArgument},
		"a stream's data":              {frame(1, 11, 3, []byte{0}), ttrpc.InvalidArgument},
		"a request that is none":       {frame(2, 11, 1, []byte{0xff, 0xff}), ttrpc.InvalidArgument},
		"a payload that is none": {func() []byte {
			body := wire.Marshal(&wire.Request{Service: service, Method: "Connect", Payload: []byte{0xff}})
			return frame(len(body), 11, 1, body)
		}(), ttrpc.InvalidArgument},
		"no such method": {request(11, "Nosuch"), ttrpc.Unimplemented},
		"nothing":        {frame(0, 11, 1, nil), ttrpc.Unimplemented},
	} {
		t.Run(name, func(t *testing.T) {
			c := r.dial()
			c.Write(request(5, "Connect"))
			_, resp := answer(t, c)
			require.Nil(t, resp.Status)

			go c.Write(bad.frame) // it does not fit into the socket
			stream, resp := answer(t, c)
			require.Equal(t, binary.BigEndian.Uint32(bad.frame[4:]), stream)
			require.NotNil(t, resp.Status)
			require.Equal(t, bad.code, resp.Status.Code, resp.Status.Message)

			c.Write(frame(3, 12, 9, []byte("???"))) // of a type to come: ignored
			c.Write(request(13, "Connect"))
			stream, resp = answer(t, c)
			require.EqualValues(t, 13, stream)
			require.Nil(t, resp.Status)
		})
	}
	r.end()
}

// TestHalfAFrame: one that promises much, sends little and goes away costs nothing and disturbs nobody.
func TestHalfAFrame(t *testing.T) {
	r := echo(t)
	for _, half := range [][]byte{{0}, frame(4<<20, 1, 1, []byte("x")), frame(1<<32-1, 1, 1, nil), frame(100, 1, 1, make([]byte, 99))} {
		c := r.dial()
		_, err := c.Write(half)
		require.NoError(t, err)
		require.NoError(t, c.(*net.UnixConn).CloseWrite())
		rest, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Empty(t, rest)
	}
	r.end()
}

// asStranger makes the test's own program the client of another user.
const asStranger = "HULL_TEST_SOCKET"

func TestMain(m *testing.M) {
	socket := os.Getenv(asStranger)
	if socket == "" {
		os.Exit(m.Run())
	}
	c, err := net.Dial("unix", socket)
	if err != nil {
		os.Exit(3)
	}
	c.Write(request(1, "Connect"))
	rest, _ := io.ReadAll(c)
	os.Exit(min(len(rest), 1))
}

// TestStranger: another user's connection is closed unread, even if the socket's mode let it in.
func TestStranger(t *testing.T) {
	probetest.Need(t, "root")
	r := echo(t)
	for dir := filepath.Dir(r.socket); dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode()&0o001 == 0 {
			require.NoError(t, os.Chmod(dir, info.Mode()|0o001))
			t.Cleanup(func() { os.Chmod(dir, info.Mode()) })
		}
	}
	require.NoError(t, os.Chmod(r.socket, 0o666))
	self := filepath.Join(filepath.Dir(r.socket), "stranger")
	program, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(self, program, 0o755))
	cmd := exec.Command(self)
	cmd.Env = []string{asStranger + "=" + r.socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	require.NoError(t, cmd.Run(), "it connects, and gets no answer")
	r.end()
}

// FuzzServer: whatever bytes arrive, every frame that comes back is a response, and the server lives.
func FuzzServer(f *testing.F) {
	f.Add(request(1, "Connect"))
	f.Add(append(request(1, "Connect"), frame(2, 3, 1, []byte{0xff, 0xff})...))
	f.Add(frame(1<<31, 1, 1, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := echo(t)
		c := r.dial()
		go func() {
			c.Write(b)
			c.(*net.UnixConn).CloseWrite()
		}()
		all, err := io.ReadAll(c)
		if err == nil {
			for in := bytes.NewReader(all); in.Len() > 0; {
				answer(t, in)
			}
		}
		r.end()
	})
}
