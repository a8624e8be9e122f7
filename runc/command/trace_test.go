package command_test

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spansOf collects the packets that come while f runs.
func (b *bench) spansOf(f func()) (spans []*tracepb.Span) {
	socket := b.t.TempDir() + "/s"
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	require.NoError(b.t, err)
	packets := make(chan []byte, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			for {
				buf := make([]byte, 256<<10)
				n, err := c.Read(buf)
				if err != nil || n == 0 {
					break
				}
				packets <- buf[:n]
			}
			c.Close()
		}
	}()
	parent := span.NewTrace()
	parent.Span = [8]byte{1}
	b.env = span.Env(parent, socket)
	f()
	b.env = nil
	// The recorder has sent everything before it closed its end; accepting it all is what the goroutine does before the next Accept.
	last, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socket, Net: "unixpacket"})
	require.NoError(b.t, err)
	last.Close()
	for n := 0; n < 1; {
		select {
		case p := <-packets:
			var data tracepb.TracesData
			require.NoError(b.t, proto.Unmarshal(p, &data))
			for _, r := range data.ResourceSpans {
				for _, s := range r.ScopeSpans {
					for _, sp := range s.Spans {
						require.Equal(b.t, parent.Trace[:], sp.TraceId)
						spans = append(spans, sp)
					}
				}
			}
		case <-time.After(200 * time.Millisecond): // nothing more is on its way
			n++
		}
	}
	l.Close()
	<-done
	return spans
}

func attr(s *tracepb.Span, key string) *commonpb.AnyValue {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return &commonpb.AnyValue{}
}

// TestTrace: a traced create claims each step once, in the catalogue's order, the child's with the child's pid; the user's program sees
// nothing of it.
func TestTrace(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"env"} })
	id := b.id("trace")
	var pid int
	var out *os.File
	created := b.spansOf(func() { pid, out = b.create(id) })
	byName := map[string][]*tracepb.Span{}
	var order []string
	last := uint64(0)
	for _, s := range created {
		byName[s.Name] = append(byName[s.Name], s)
		if int64(pid) != attr(s, stages.AttrPID).GetIntValue() {
			continue
		}
		require.LessOrEqual(t, last, s.StartTimeUnixNano, s.Name)
		require.LessOrEqual(t, s.StartTimeUnixNano, s.EndTimeUnixNano, s.Name)
		last = s.StartTimeUnixNano
		if len(order) == 0 || order[len(order)-1] != s.Name {
			order = append(order, s.Name)
		}
		require.Equal(t, byName["runc.ns.create"], byName["runc.ns.create"])
		require.NotZero(t, attr(s, stages.AttrStart).GetIntValue())
	}
	want := []string{
		"runc.cgroup.join", "runc.init.cgroup_namespace", "runc.init.session", "runc.init.propagation", "runc.init.mounts", "runc.init.devices",
		"runc.init.pivot_root", "runc.init.masked_paths", "runc.init.hostname", "runc.init.loopback", "runc.init.user", "runc.init.workdir",
		"runc.init.program", "runc.init.capabilities", "runc.init.wait_start",
	}
	if pureV2() {
		want = want[2:] // the child is born in its group, and the clone gave it the cgroup namespace
	}
	require.Equal(t, want, order)
	for _, name := range []string{"runc.create", "runc.ns.create", "runc.state.save", "runc.create.exit"} {
		require.Len(t, byName[name], 1, name)
	}
	clone := byName["runc.ns.create"][0]
	require.Equal(t, byName["runc.create"][0].SpanId, clone.ParentSpanId)
	require.Equal(t, clone.SpanId, byName["runc.init.pivot_root"][0].ParentSpanId)
	var mounts []string
	for _, s := range byName["runc.init.mounts"] {
		mounts = append(mounts, attr(s, stages.AttrInstance).GetStringValue())
	}
	require.Equal(t, []string{"/", "/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm"}, mounts)

	started := b.spansOf(func() { b.must("start", id) })
	require.Len(t, started, 2)
	require.Equal(t, "runc.init.exec", started[0].Name)
	require.Equal(t, int64(pid), attr(started[0], stages.AttrPID).GetIntValue())
	require.Equal(t, "runc.start", started[1].Name)
	reap(t, pid)
	b.must("delete", id)
	require.False(t, strings.Contains(contents(t, out), span.EnvParent), "the trace reached the user's program")
}

// The step that failed carries the error.
func TestTraceOfFailure(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"nosuch"} })
	id := b.id("failure")
	spans := b.spansOf(func() { b.createFails(id) })
	wrong := map[string]string{}
	for _, s := range spans {
		if s.Status != nil {
			wrong[s.Name] = s.Status.Message
		}
	}
	text := `runc.init.program: exec: "nosuch": executable file not found in $PATH`
	require.Equal(t, map[string]string{"runc.init.program": text, "runc.ns.create": text, "runc.create": text}, wrong)
}

// The dry run is the same table, and makes nothing.
func TestPlan(t *testing.T) {
	b := newBench(t, nil)
	out := b.must("plan", b.bundle)
	require.Contains(t, out, `pivot_root(".", ".")`)
	require.Contains(t, out, `sethostname("box", 3)`)
	require.Less(t, strings.Index(out, "runc.init.pivot_root"), strings.Index(out, "runc.init.capabilities"))
	require.Contains(t, out, `execve("/bin/true", …, …)`)
	require.NoDirExists(t, b.root)
}
