package wire_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"hull/shim/wire"

	cgroup1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	cgroup2 "github.com/containerd/cgroups/v3/cgroup2/stats"
	events "github.com/containerd/containerd/api/events"
	bootstrap "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	taskv2 "github.com/containerd/containerd/api/runtime/task/v2"
	taskv3 "github.com/containerd/containerd/api/runtime/task/v3"
	forward "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/ttrpc"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// pairs are our messages beside the real ones.
var pairs = []struct {
	ours wire.Message
	real proto.Message
}{
	{&wire.Any{}, &anypb.Any{}},
	{&wire.Empty{}, &emptypb.Empty{}},
	{&wire.Mount{}, &types.Mount{}},
	{&wire.ProcessInfo{}, &task.ProcessInfo{}},

	{&wire.CreateTaskRequest{}, &taskv2.CreateTaskRequest{}},
	{&wire.CreateTaskResponse{}, &taskv2.CreateTaskResponse{}},
	{&wire.StartRequest{}, &taskv2.StartRequest{}},
	{&wire.StartResponse{}, &taskv2.StartResponse{}},
	{&wire.StateRequest{}, &taskv2.StateRequest{}},
	{&wire.StateResponse{}, &taskv2.StateResponse{}},
	{&wire.DeleteRequest{}, &taskv2.DeleteRequest{}},
	{&wire.DeleteResponse{}, &taskv2.DeleteResponse{}},
	{&wire.ExecProcessRequest{}, &taskv2.ExecProcessRequest{}},
	{&wire.ResizePtyRequest{}, &taskv2.ResizePtyRequest{}},
	{&wire.CloseIORequest{}, &taskv2.CloseIORequest{}},
	{&wire.KillRequest{}, &taskv2.KillRequest{}},
	{&wire.PidsRequest{}, &taskv2.PidsRequest{}},
	{&wire.PidsResponse{}, &taskv2.PidsResponse{}},
	{&wire.PauseRequest{}, &taskv2.PauseRequest{}},
	{&wire.ResumeRequest{}, &taskv2.ResumeRequest{}},
	{&wire.CheckpointTaskRequest{}, &taskv2.CheckpointTaskRequest{}},
	{&wire.UpdateTaskRequest{}, &taskv2.UpdateTaskRequest{}},
	{&wire.WaitRequest{}, &taskv2.WaitRequest{}},
	{&wire.WaitResponse{}, &taskv2.WaitResponse{}},
	{&wire.StatsRequest{}, &taskv2.StatsRequest{}},
	{&wire.StatsResponse{}, &taskv2.StatsResponse{}},
	{&wire.ConnectRequest{}, &taskv2.ConnectRequest{}},
	{&wire.ConnectResponse{}, &taskv2.ConnectResponse{}},
	{&wire.ShutdownRequest{}, &taskv2.ShutdownRequest{}},

	{&wire.CreateTaskRequest{}, &taskv3.CreateTaskRequest{}},
	{&wire.StateResponse{}, &taskv3.StateResponse{}},
	{&wire.UpdateTaskRequest{}, &taskv3.UpdateTaskRequest{}},
	{&wire.ExecProcessRequest{}, &taskv3.ExecProcessRequest{}},
	{&wire.DeleteResponse{}, &taskv3.DeleteResponse{}},

	{&wire.Envelope{}, &types.Envelope{}},
	{&wire.ForwardRequest{}, &forward.ForwardRequest{}},
	{&wire.TaskCreate{}, &events.TaskCreate{}},
	{&wire.TaskIO{}, &events.TaskIO{}},
	{&wire.TaskStart{}, &events.TaskStart{}},
	{&wire.TaskExit{}, &events.TaskExit{}},
	{&wire.TaskDelete{}, &events.TaskDelete{}},
	{&wire.TaskOOM{}, &events.TaskOOM{}},
	{&wire.TaskExecAdded{}, &events.TaskExecAdded{}},
	{&wire.TaskExecStarted{}, &events.TaskExecStarted{}},
	{&wire.TaskPaused{}, &events.TaskPaused{}},
	{&wire.TaskResumed{}, &events.TaskResumed{}},

	{&wire.RuncOptions{}, &options.Options{}},
	{&wire.ProcessDetails{}, &options.ProcessDetails{}},
	{&wire.BootstrapParams{}, &bootstrap.BootstrapParams{}},
	{&wire.BootstrapResult{}, &bootstrap.BootstrapResult{}},
	{&wire.RuntimeInfo{}, &types.RuntimeInfo{}},

	{&wire.Cgroup1Metrics{}, &cgroup1.Metrics{}},
	{&wire.Cgroup2Metrics{}, &cgroup2.Metrics{}},

	{&wire.Request{}, &ttrpc.Request{}},
	{&wire.Response{}, &ttrpc.Response{}},
	{&wire.CallStatus{}, &status.Status{}},
}

// left are fields of the real messages that ours do without.
var left = map[protoreflect.FullName]bool{
	"containerd.runtime.bootstrap.v1.BootstrapResult.capabilities": true, // there is none yet

	"io.containerd.cgroups.v1.Metrics.rdma":                        true,
	"io.containerd.cgroups.v1.Metrics.network":                     true,
	"io.containerd.cgroups.v1.Metrics.cgroup_stats":                true,
	"io.containerd.cgroups.v1.BlkIOStat.io_queued_recursive":       true,
	"io.containerd.cgroups.v1.BlkIOStat.io_service_time_recursive": true,
	"io.containerd.cgroups.v1.BlkIOStat.io_wait_time_recursive":    true,
	"io.containerd.cgroups.v1.BlkIOStat.io_merged_recursive":       true,
	"io.containerd.cgroups.v1.BlkIOStat.io_time_recursive":         true,
	"io.containerd.cgroups.v1.BlkIOStat.sectors_recursive":         true,
	"io.containerd.cgroups.v2.Metrics.rdma":                        true,
	"io.containerd.cgroups.v2.Metrics.network":                     true,
}

func fresh[M wire.Message](m M) M { return reflect.New(reflect.TypeOf(m).Elem()).Interface().(M) }

// fill gives every field of m a value, so that a field that ours lacks is seen.
func fill(r *rand.Rand, m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case left[f.FullName()]:
		case f.IsMap():
			for range 3 {
				m.Mutable(f).Map().Set(value(r, f.MapKey()).MapKey(), value(r, f.MapValue()))
			}
		case f.IsList():
			list := m.Mutable(f).List()
			for range 3 {
				if f.Message() != nil {
					fill(r, list.AppendMutable().Message())
				} else {
					list.Append(value(r, f))
				}
			}
		case f.Message() != nil && f.Message().FullName() == "google.protobuf.Timestamp":
			m.Set(f, protoreflect.ValueOfMessage((&timestamppb.Timestamp{Seconds: r.Int64N(1 << 34), Nanos: r.Int32N(1e9)}).ProtoReflect()))
		case f.Message() != nil:
			fill(r, m.Mutable(f).Message())
		default:
			m.Set(f, value(r, f))
		}
	}
}

func value(r *rand.Rand, f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(fmt.Sprintf("é-%s-%d", f.Name(), r.Uint32()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{0, byte(r.Uint32()), 0xff})
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(r.Uint32() | 1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(r.Uint64() | 1)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(-int32(r.Uint32()>>2) - 1)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(-int64(r.Uint64()>>2) - 1)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(r.Float64() + 1)
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(values.Len() - 1).Number())
	}
	panic(f.Kind().String())
}

// same compares our struct with the real one: the fields of the same names hold the same.
func same(t *testing.T, name string, ours, real reflect.Value) {
	switch {
	case ours.Type() == reflect.TypeFor[time.Time]() && real.IsNil():
		require.Zero(t, ours.Interface(), name)
	case ours.Type() == reflect.TypeFor[time.Time]():
		require.Equal(t, real.Interface().(*timestamppb.Timestamp).AsTime(), ours.Interface(), name)
	case ours.Kind() == reflect.Pointer:
		require.Equal(t, real.IsNil(), ours.IsNil(), name)
		if !ours.IsNil() {
			same(t, name, ours.Elem(), real.Elem())
		}
	case ours.Kind() == reflect.Struct:
		for i := range ours.NumField() {
			field := ours.Type().Field(i).Name
			theirs := real.FieldByName(field)
			require.True(t, theirs.IsValid(), "%s: the real message has no %s", name, field)
			same(t, name+"."+field, ours.Field(i), theirs)
		}
	case ours.Kind() == reflect.Slice && ours.Type().Elem().Kind() == reflect.Pointer:
		require.Equal(t, real.Len(), ours.Len(), name)
		for i := range ours.Len() {
			same(t, fmt.Sprintf("%s[%d]", name, i), ours.Index(i), real.Index(i))
		}
	case ours.Kind() == reflect.String && real.Kind() == reflect.Pointer && real.IsNil(): // optional
		require.Zero(t, ours.Interface(), name)
	case ours.Kind() == reflect.String && real.Kind() == reflect.Pointer:
		require.Equal(t, real.Elem().String(), ours.String(), name)
	case ours.Kind() == reflect.Float64: // not-a-number is not equal to itself
		require.Equal(t, math.Float64bits(real.Float()), math.Float64bits(ours.Float()), name)
	case ours.Kind() == reflect.Slice && real.Len() == 0, ours.Kind() == reflect.Map && real.Len() == 0:
		require.Zero(t, ours.Len(), name)
	default:
		require.True(t, real.CanConvert(ours.Type()), "%s: %s is no %s", name, real.Type(), ours.Type())
		require.Equal(t, real.Convert(ours.Type()).Interface(), ours.Interface(), name)
	}
}

// TestBesideTheRealTypes: what containerd's own types encode we decode into the fields of the same names, and back, with no field missing.
func TestBesideTheRealTypes(t *testing.T) {
	for _, p := range pairs {
		name := string(p.real.ProtoReflect().Descriptor().FullName())
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				real := proto.Clone(p.real)
				fill(r, real.ProtoReflect())
				b, err := proto.Marshal(real)
				require.NoError(t, err)
				for _, extra := range [][]byte{nil, unknown} {
					ours := fresh(p.ours)
					require.NoError(t, wire.Unmarshal(append(extra, b...), ours))
					same(t, name, reflect.ValueOf(ours).Elem(), reflect.ValueOf(real).Elem())
					back := proto.Clone(p.real)
					require.NoError(t, proto.Unmarshal(wire.Marshal(ours), back))
					require.True(t, proto.Equal(real, back), "sent %v\ncame %v", real, back)
				}
			}
			require.Empty(t, wire.Marshal(fresh(p.ours)), "zero values are left out")
			if typed, ok := p.ours.(wire.Typed); ok {
				require.Equal(t, name, typed.TypeName())
				require.Equal(t, name, wire.Pack(typed).TypeUrl)
			}
		})
	}
}

// unknown is a field of each wire type with a number that no message of ours has, and a group with a group in it.
var unknown = func() (b []byte) {
	b = protowire.AppendVarint(protowire.AppendTag(b, 1001, protowire.VarintType), 1<<63)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 1002, protowire.Fixed64Type), 1)
	b = protowire.AppendFixed32(protowire.AppendTag(b, 1003, protowire.Fixed32Type), 1)
	b = protowire.AppendString(protowire.AppendTag(b, 1004, protowire.BytesType), "text")
	b = protowire.AppendTag(b, 1005, protowire.StartGroupType)
	b = protowire.AppendTag(b, 1, protowire.StartGroupType)
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 1)
	b = protowire.AppendTag(b, 1, protowire.EndGroupType)
	return protowire.AppendTag(b, 1005, protowire.EndGroupType)
}()

// TestHostile: lengths that lie, numbers that do not end, nesting without end. None may cost memory or time beyond what was sent.
func TestHostile(t *testing.T) {
	tag := func(n, kind int) []byte { return binary.AppendUvarint(nil, uint64(n<<3|kind)) }
	for name, b := range map[string][]byte{
		"a length beyond the end":         append(tag(1, 2), 0x7f, 'x'),
		"a length of 2^63":                binary.AppendUvarint(tag(1, 2), 1<<63),
		"a length of 2^64-1":              binary.AppendUvarint(tag(1, 2), 1<<64-1),
		"no length":                       tag(1, 2),
		"half a tag":                      {0x80},
		"a varint without an end":         append(tag(4, 0), bytes.Repeat([]byte{0x80}, 100)...),
		"a varint of 65 bits":             append(tag(4, 0), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02),
		"field number 0":                  {0x00, 0x01},
		"a field number beyond 2^29":      binary.AppendUvarint(nil, 1<<32),
		"wire type 6":                     append(tag(1, 6), 0),
		"half a fixed64":                  append(tag(1, 1), 1, 2, 3),
		"half a fixed32":                  append(tag(1, 5), 1, 2, 3),
		"an end of no group":              tag(1, 4),
		"a group without an end":          tag(1000, 3),
		"a group that ends as another":    append(tag(1000, 3), tag(1001, 4)...),
		"groups in groups":                bytes.Repeat(tag(15, 3), 100_000),
		"text that is not UTF-8":          append(tag(1, 2), 1, 0xff),
		"a list's text that is not UTF-8": append(tag(3, 2), 3, 4<<3|2, 1, 0xff),
		"a mount that ends too early":     append(tag(3, 2), 2, 1<<3|2, 9),
		"a map's entry that is not UTF-8": append(tag(3, 2), 3, 1<<3|2, 1, 0xff),
	} {
		for _, p := range []struct {
			ours wire.Message
			real proto.Message
		}{{&wire.CreateTaskRequest{}, &taskv2.CreateTaskRequest{}}, {&wire.UpdateTaskRequest{}, &taskv2.UpdateTaskRequest{}}} {
			ours, theirs := wire.Unmarshal(b, p.ours), proto.Unmarshal(b, p.real)
			require.Equal(t, theirs == nil, ours == nil, "%s: containerd's types say %v, ours %v", name, theirs, ours)
		}
	}
	require.Error(t, wire.Unmarshal([]byte{0xff}, &wire.Empty{}))
}

// What a peer would refuse is never sent.
func TestTextIsMadeValid(t *testing.T) {
	var real status.Status
	require.NoError(t, proto.Unmarshal(wire.Marshal(&wire.CallStatus{Code: 2, Message: "no \xff file"}), &real))
	require.Equal(t, "no \uFFFD file", real.Message)
}

// FuzzUnmarshal: whatever arrives, ours and the real types agree on whether it is a message and on which one.
func FuzzUnmarshal(f *testing.F) {
	f.Add(byte(0), unknown)
	r := rand.New(rand.NewPCG(3, 4))
	for i, p := range pairs {
		m := proto.Clone(p.real)
		fill(r, m.ProtoReflect())
		b, err := proto.Marshal(m)
		require.NoError(f, err)
		f.Add(byte(i), b)
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		p := pairs[int(which)%len(pairs)]
		ours, real := fresh(p.ours), proto.Clone(p.real)
		err := wire.Unmarshal(b, ours)
		if theirs := proto.Unmarshal(b, real); theirs != nil || err != nil {
			require.Equal(t, theirs == nil, err == nil, "containerd's types say %v, ours %v", theirs, err)
			return
		}
		if name := string(real.ProtoReflect().Descriptor().FullName()); !strangeTime(real.ProtoReflect()) {
			same(t, name, reflect.ValueOf(ours).Elem(), reflect.ValueOf(real).Elem())
		}
		again := fresh(p.ours)
		require.NoError(t, wire.Unmarshal(wire.Marshal(ours), again))
		require.Equal(t, wire.Marshal(ours), wire.Marshal(again))
	})
}

// strangeTime reports a timestamp that is out of range, or is the year 1's first moment, which is our "none".
func strangeTime(m protoreflect.Message) (strange bool) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() || f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				strange = strange || strangeTime(v.List().Get(i).Message())
			}
		default:
			if ts, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
				strange = strange || !ts.IsValid() || ts.AsTime().IsZero()
			} else {
				strange = strange || strangeTime(v.Message())
			}
		}
		return !strange
	})
	return strange
}

// The encoder's output is the same for the same message: a map's entries are in order.
func TestDeterministic(t *testing.T) {
	m := &wire.UpdateTaskRequest{ID: "x", Annotations: map[string]string{}}
	for i := range 50 {
		m.Annotations[fmt.Sprint(i)] = strings.Repeat("v", i)
	}
	first := wire.Marshal(m)
	for range 20 {
		require.Equal(t, first, wire.Marshal(m))
	}
}
