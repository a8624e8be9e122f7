package span_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hull/stages"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestUntracedCostsNothing holds the promise of the package: without a recorder a span is no allocation.
func TestUntracedCostsNothing(t *testing.T) {
	ctx := context.Background()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_, sp := span.Start(ctx, stages.RuncCreate)
		sp.Instance("x")
		sp.Set("key", "value")
		sp.End(nil)
	}))
}

// TestEncoding reads what goes over the socket with OpenTelemetry's real types: the encoder is written by hand.
func TestEncoding(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "spans.sock")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	require.NoError(t, err)
	defer l.Close()

	rec := span.New("hull-runc", socket, false)
	root := span.Parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	ctx, outer := span.Start(rec.Join(context.Background(), root), stages.RuncCreate)
	_, inner := span.Start(ctx, stages.RuncInitMounts)
	inner.Instance("/proc")
	inner.Set("fs", "proc")
	inner.SetInt("flags", -5)
	failed := errors.New("EINVAL")
	inner.End(&failed)
	inner.End(nil) // a second end changes nothing
	past := span.Record(ctx, span.Finished{Step: stages.RuncInitPivotRoot, Start: time.Unix(1, 2), End: time.Unix(3, 4), PID: 77, PIDStart: 88, TID: 99})
	outer.End(nil)
	rec.Close()

	c, err := l.AcceptUnix()
	require.NoError(t, err)
	defer c.Close()
	buf := make([]byte, 1<<16)
	n, err := c.Read(buf)
	require.NoError(t, err)
	var data tracepb.TracesData
	require.NoError(t, proto.Unmarshal(buf[:n], &data))
	require.Len(t, data.ResourceSpans, 1)
	resource := data.ResourceSpans[0]
	require.Equal(t, "hull-runc", resource.Resource.Attributes[0].Value.GetStringValue())
	require.EqualValues(t, os.Getpid(), resource.Resource.Attributes[1].Value.GetIntValue())
	spans := resource.ScopeSpans[0].Spans
	require.Len(t, spans, 3)

	s := spans[0]
	require.Equal(t, "runc.init.mounts", s.Name)
	require.Equal(t, tracepb.Status_STATUS_CODE_ERROR, s.Status.Code)
	require.Equal(t, "EINVAL", s.Status.Message)
	attrs := map[string]any{}
	for _, a := range s.Attributes {
		attrs[a.Key] = a.Value.GetStringValue()
		if a.Value.GetStringValue() == "" {
			attrs[a.Key] = a.Value.GetIntValue()
		}
	}
	require.Equal(t, "runc.init.mounts", attrs[stages.AttrStep])
	require.Equal(t, "/proc", attrs[stages.AttrInstance])
	require.EqualValues(t, -5, attrs["flags"])
	require.EqualValues(t, span.StartTime(os.Getpid()), attrs[stages.AttrStart])

	require.Equal(t, past.Span[:], spans[1].SpanId)
	require.EqualValues(t, 1_000_000_002, spans[1].StartTimeUnixNano)
	require.EqualValues(t, 3_000_000_004, spans[1].EndTimeUnixNano)
	for _, s := range spans[:2] {
		require.Equal(t, spans[2].SpanId, s.ParentSpanId)
	}
	require.Equal(t, root.Span[:], spans[2].ParentSpanId)
	require.Equal(t, root.Trace[:], spans[2].TraceId)
}

// TestNobodyListens: a run never fails, and never waits, because there is no hull-trace.
func TestNobodyListens(t *testing.T) {
	rec := span.New("hull-runc", filepath.Join(t.TempDir(), strings.Repeat("d", 120), "spans.sock"), false)
	ctx := rec.Join(context.Background(), span.NewTrace())
	_, sp := span.Start(ctx, stages.RuncCreate)
	sp.End(nil)
	rec.Close()
}

// TestParse: a malformed traceparent is no context, and stops nothing; one that is not sampled asks for no trace.
func TestParse(t *testing.T) {
	good := "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	require.Equal(t, good, span.Parse(good).String())
	for _, bad := range []string{
		"", "00", good[:54], strings.Replace(good, "-01", "-00", 1), strings.Replace(good, "4", "x", 1), "ff" + good[2:],
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
	} {
		require.False(t, span.Parse(bad).Valid(), bad)
		require.Empty(t, span.Parse(bad).String())
	}
}
