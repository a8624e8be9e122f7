package collect

import (
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestPacketStaysInSight: what a program has handed over counts as unread until it is in its trace, also while the reader has it in hand and waits
// for its turn: a trace that is complete but for that packet is not complete.
func TestPacketStaysInSight(t *testing.T) {
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: filepath.Join(t.TempDir(), "s")})
	require.NoError(t, err)
	defer l.Close()
	c := &collector{}
	taking := make(chan error, 1)
	go func() { taking <- c.takeSpans(l) }()
	conn, err := net.DialUnix("unixpacket", nil, l.Addr().(*net.UnixAddr))
	require.NoError(t, err)
	packet, err := proto.Marshal(&otlp.TracesData{ResourceSpans: []*otlp.ResourceSpans{{SchemaUrl: "x"}}})
	require.NoError(t, err)

	c.mu.Lock() // somebody decides whether a trace is complete
	_, err = conn.Write(packet)
	require.NoError(t, err)
	for reader := ""; !strings.Contains(reader, "collect.(*collector).takePacket"); {
		stacks := make([]byte, 1<<20)
		reader = string(stacks[:runtime.Stack(stacks, true)])
	}
	require.True(t, c.spans.unread())
	c.mu.Unlock()
	for c.spans.unread() { // it is taken, and off the socket
		runtime.Gosched()
	}
	require.NoError(t, conn.Close())
	require.NoError(t, l.Close())
	require.NoError(t, <-taking)
}
