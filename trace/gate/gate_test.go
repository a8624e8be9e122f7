package gate_test

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"hull/stages"
	"hull/stages/instance"
	"hull/trace/gate"
	"hull/trace/span"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A dialogue is one connection of a test with a server of its own.
type dialogue struct {
	t    *testing.T
	conn *net.UnixConn
}

func serve(t *testing.T, s *gate.Server) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "gates.sock")
	l, err := instance.Listen("unixpacket", socket, 0o600)
	require.NoError(t, err)
	go s.Serve(l)
	t.Cleanup(func() { l.Close() })
	return socket
}

func dial(t *testing.T, socket string) *dialogue {
	t.Helper()
	conn, err := instance.Dial(t.Context(), "unixpacket", socket)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return &dialogue{t, conn}
}

func (d *dialogue) say(packet string) {
	_, err := d.conn.Write([]byte(packet))
	require.NoError(d.t, err)
}

func (d *dialogue) hear() string {
	buf := make([]byte, 256<<10)
	n, err := d.conn.Read(buf)
	require.NoError(d.t, err)
	return string(buf[:n])
}

// verdict is the errno and the reason of an answer.
func (d *dialogue) verdict() [2]uint32 {
	text := []byte(d.hear())
	require.Len(d.t, text, 8)
	return [2]uint32{binary.NativeEndian.Uint32(text), binary.NativeEndian.Uint32(text[4:])}
}

const trace = "67617465000000000000000000000001"

// TestStops: a step waits until the debugger lets it go, and the debugger is told the pid that the kernel knows.
func TestStops(t *testing.T) {
	socket := serve(t, &gate.Server{})
	d := dial(t, socket)
	d.say(`{"arm":{"trace":"` + trace + `","break":["runc.init.*"]}}`)
	require.Equal(t, `{"armed":true}`, d.hear())
	step := dial(t, socket)
	step.say(`{"pass":{"trace":"` + trace + `","step":"runc.create","program":"p"}}`)
	require.Equal(t, [2]uint32{}, step.verdict(), "no breakpoint is here")
	step.say(`{"pass":{"trace":"` + trace + `","step":"runc.init.mounts","instance":"/proc","call":"fsopen(\"proc\")","program":"p"}}`)
	told := d.hear()
	require.Contains(t, told, `"step":"runc.init.mounts","instance":"/proc"`)
	require.Contains(t, told, `"pid":`+strconv.Itoa(os.Getpid()))
	second := dial(t, socket)
	second.say(`{"pass":{"trace":"` + trace + `","step":"runc.init.user","program":"p"}}`)
	d.say(`{"go":{"stop":1,"to":"break"}}`)
	require.Equal(t, [2]uint32{}, step.verdict())
	require.Contains(t, d.hear(), `"step":"runc.init.user"`, "the next one that waits")
	second.conn.Close()
	require.JSONEq(t, `{"gone":2}`, d.hear())
	d.say(`{"leave":true}`)
	require.JSONEq(t, `{"over":true}`, d.hear())
	step.say(`{"pass":{"trace":"` + trace + `","step":"runc.init.user","program":"p"}}`)
	require.Equal(t, [2]uint32{}, step.verdict())
}

// TestGoneDebugger: what waits fails, what cleans up goes on, hulld is told, and nobody else's run is touched.
func TestGoneDebugger(t *testing.T) {
	socket := serve(t, &gate.Server{})
	d := dial(t, socket)
	d.say(`{"arm":{"trace":"` + trace + `","step":true}}`)
	d.hear()
	hulld, step, late := dial(t, socket), dial(t, socket), dial(t, socket)
	hulld.say(`{"hold":{"trace":"` + trace + `"}}`)
	step.say(`{"pass":{"trace":"` + trace + `","step":"runc.ns.create","program":"p"}}`)
	require.Contains(t, d.hear(), "runc.ns.create")
	d.conn.Close()
	require.Equal(t, [2]uint32{uint32(unix.ECANCELED), 2}, step.verdict())
	require.Equal(t, [2]uint32{0, 2}, hulld.verdict())
	late.say(`{"pass":{"trace":"` + trace + `","step":"runc.delete","program":"p"}}`)
	require.Equal(t, [2]uint32{}, late.verdict())
	late.say(`{"pass":{"trace":"67617465000000000000000000000002","step":"runc.create","program":"p"}}`)
	require.Equal(t, [2]uint32{}, late.verdict())
}

// TestArming: what is wrong is refused by name, and faults need their permission.
func TestArming(t *testing.T) {
	for arm, answer := range map[string]string{
		`"break":["nonsense"]`:              "no step has this name",
		`"break":["daemon.network.bridge"]`: "for all containers",
		`"faults":["runc.create=kill"]`:     "hull up --debug",
	} {
		d := dial(t, serve(t, &gate.Server{}))
		d.say(`{"arm":{"trace":"` + trace + `",` + arm + `}}`)
		require.Contains(t, d.hear(), answer, arm)
	}
	for fault, answer := range map[string]string{
		"runc.create=explode": "no fault", "runc.create=errno:EFOO": "no name of an errno", "runc.create=delay:-1s": "no time",
		"client.exit=errno:EIO": "cannot fail", "runc.create=kill:9": "takes no value", "runc.create": "no fault is named",
	} {
		d := dial(t, serve(t, &gate.Server{Faults: true}))
		d.say(`{"arm":{"trace":"` + trace + `","faults":["` + fault + `"]}}`)
		require.Contains(t, d.hear(), answer, fault)
	}
}

// TestFaultOnce, from the side of a program: the step is told to fail the first time, and goes on the second.
func TestFaultOnce(t *testing.T) {
	socket := serve(t, &gate.Server{Faults: true})
	root := span.NewGatedTrace()
	require.True(t, root.Gated())
	require.False(t, span.NewTrace().Gated())
	d := dial(t, socket)
	d.say(`{"arm":{"trace":"` + root.TraceID() + `","faults":["runc.init.user=errno:EMFILE"]}}`)
	require.Equal(t, `{"armed":true}`, d.hear())
	rec := span.New("hull-test", filepath.Join(filepath.Dir(socket), "spans.sock"), false)
	ctx := rec.Join(t.Context(), root)
	_, sp := span.Start(ctx, stages.RuncInitUser)
	require.ErrorIs(t, sp.Fault(), unix.EMFILE)
	require.Contains(t, sp.Fault().Error(), "runc.init.user: ")
	require.Contains(t, d.hear(), `"fault":"errno:EMFILE"`)
	_, sp = span.Start(ctx, stages.RuncInitUser)
	require.NoError(t, sp.Fault())
}
