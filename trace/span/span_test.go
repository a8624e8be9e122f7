package span_test

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// listen is a span socket of the test's own, deeper than a socket's name may be long.
func listen(t *testing.T) (path string, packet func() *otlp.TracesData) {
	dir := filepath.Join(t.TempDir(), "a-directory-whose-name-is-so-long-that-the-path-of-a-socket-in-it", "cannot-be-written-into-a-sockaddr")
	path = filepath.Join(dir, "spans.sock")
	l, err := instance.Listen("unixpacket", path, 0o600)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return path, func() *otlp.TracesData {
		conn, err := l.AcceptUnix()
		require.NoError(t, err)
		defer conn.Close()
		buf := make([]byte, 1<<20)
		n, err := conn.Read(buf)
		require.NoError(t, err)
		var data otlp.TracesData
		require.NoError(t, proto.Unmarshal(buf[:n], &data))
		return &data
	}
}

// TestPacket decodes the hand-written encoder's output with OpenTelemetry's own types.
func TestPacket(t *testing.T) {
	path, packet := listen(t)
	parent := span.Parse("00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01")
	rec := span.New("hull-test", path, false)
	ctx := rec.Join(context.Background(), parent)

	before := time.Now()
	ctx, outer := span.Start(ctx, stages.RuncCreate)
	_, inner := span.Start(ctx, stages.RuncInitMounts)
	inner.Instance("/proc")
	inner.Set("fstype", "proc")
	inner.SetInt("answer", 42)
	failure := errors.New("mount: EPERM")
	inner.End(&failure)
	inner.End(nil) // says nothing more
	outer.End(nil)
	rec.Close()

	data := packet()
	require.Len(t, data.ResourceSpans, 1)
	require.Equal(t, "service.name", data.ResourceSpans[0].Resource.Attributes[0].Key)
	require.Equal(t, "hull-test", data.ResourceSpans[0].Resource.Attributes[0].Value.GetStringValue())
	spans := data.ResourceSpans[0].ScopeSpans[0].Spans
	require.Len(t, spans, 2)
	in, out := spans[0], spans[1]
	require.Equal(t, "runc.init.mounts", in.Name)
	require.Equal(t, parent.TraceID(), hex.EncodeToString(in.TraceId))
	require.Equal(t, out.SpanId, in.ParentSpanId)
	require.Equal(t, "00f067aa0ba902b7", hex.EncodeToString(out.ParentSpanId))
	require.Equal(t, otlp.Span_SPAN_KIND_INTERNAL, in.Kind)
	require.Equal(t, otlp.Status_STATUS_CODE_ERROR, in.Status.Code)
	require.Equal(t, "mount: EPERM", in.Status.Message)
	require.Nil(t, out.Status)
	require.GreaterOrEqual(t, int64(out.StartTimeUnixNano), before.UnixNano())
	require.GreaterOrEqual(t, out.EndTimeUnixNano, in.EndTimeUnixNano)

	attrs := map[string]any{}
	for _, a := range in.Attributes {
		if s := a.Value.GetStringValue(); s != "" {
			attrs[a.Key] = s
		} else {
			attrs[a.Key] = a.Value.GetIntValue()
		}
	}
	require.Equal(t, "runc.init.mounts", attrs[stages.AttrStep])
	require.Equal(t, "/proc", attrs[stages.AttrInstance])
	require.Equal(t, "proc", attrs["fstype"])
	require.Equal(t, int64(42), attrs["answer"])
	require.Equal(t, int64(os.Getpid()), attrs[stages.AttrPID])
	require.Equal(t, int64(span.StartTime(os.Getpid())), attrs[stages.AttrStart])
}

// TestLossesTravel: what nobody took is counted in the next packet of the same trace, and in no other's.
func TestLossesTravel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spans.sock")
	rec := span.New("hull-test", path, true)
	step := func(trace span.Context) {
		_, sp := span.Start(rec.Join(context.Background(), trace), stages.ClientPayload)
		sp.End(nil)
	}
	trace := span.NewTrace()
	for range 3 {
		step(trace)
	}
	l, err := instance.Listen("unixpacket", path, 0o600)
	require.NoError(t, err)
	defer l.Close()
	step(span.NewTrace())
	step(trace)
	conn, err := l.AcceptUnix()
	require.NoError(t, err)
	defer conn.Close()
	lost := func() (n int64) {
		buf := make([]byte, 1<<16)
		size, err := conn.Read(buf)
		require.NoError(t, err)
		var data otlp.TracesData
		require.NoError(t, proto.Unmarshal(buf[:size], &data))
		for _, a := range data.ResourceSpans[0].Resource.Attributes {
			if a.Key == stages.AttrLost {
				n = a.Value.GetIntValue()
			}
		}
		return n
	}
	require.Zero(t, lost(), "another run's")
	require.Equal(t, int64(3), lost())
	rec.Close()
}

// TestUntracedCostsNothing holds the gate's promise: without a recorder there is no allocation, with the defer that every step has.
func TestUntracedCostsNothing(t *testing.T) {
	ctx := context.Background()
	step := func() (err error) {
		_, sp := span.Start(ctx, stages.RuncCreate)
		defer sp.End(&err)
		sp.Instance("x")
		sp.Set("k", "v")
		return nil
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() { step() }))
	var none *span.Recorder
	require.Equal(t, ctx, none.Join(ctx, span.NewTrace()))
	none.Close()
}

func TestParse(t *testing.T) {
	const good = "00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01"
	require.Equal(t, good, span.Parse(good).String())
	for _, bad := range []string{
		"", "00", good[:54], "ff" + good[2:], "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-0123456789abcdef0123456789abcdef-0000000000000000-01", "00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-00",
		"00-0123456789abcdef0123456789abcdeg-00f067aa0ba902b7-01",
	} {
		require.False(t, span.Parse(bad).Valid(), "%q", bad)
	}
	env := span.Env(span.Parse(good), "/s")
	require.Equal(t, []string{"TRACEPARENT=" + good, "HULL_SPANS=/s"}, env)
	require.Equal(t, []string{"A=b"}, span.WithoutEnv(append(env, "A=b")))
	require.Nil(t, span.Env(span.Context{}, "/s"))
}
