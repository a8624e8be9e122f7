package main_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"testing"

	"hull/daemon/network/networktest"
	"hull/stages"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestPush: with `hull up --otlp` a collector gets the whole trace of a run when it is complete, kernel events included.
func TestPush(t *testing.T) {
	network := networktest.New(t)
	l, err := network.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	got := make(chan *collector.ExportTraceServiceRequest, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var m collector.ExportTraceServiceRequest
		if req.URL.Path == "/v1/traces" && proto.Unmarshal(body, &m) == nil {
			got <- &m
		}
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	e := upIn(t, bin, network, "--otlp", "http://"+l.Addr().String())
	e.ok("run", "--rm", "--trace", "--network", "none", "busybox", "true")
	id, names := e.trace().ID, map[string]bool{}
	for _, rs := range (<-got).ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				require.Equal(t, id, hex.EncodeToString(s.TraceId))
				names[s.Name] = true
			}
		}
	}
	for _, step := range []stages.ID{stages.ClientCommand, stages.DaemonTaskCreate, stages.ContainerdTaskCreate, stages.BundleCreate, stages.ShimAdopt, stages.RuncInitPivotRoot} {
		require.True(t, names[step.Step().Name], "%s is not among %v", step.Step().Name, names)
	}
	require.True(t, names["kernel.exec"] && names["kernel.reparent"], "%v", names)
}
