package ttrpc_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hull/shim/ttrpc"
	"hull/shim/wire"
	"hull/stages"
	"hull/stages/instance"

	taskapi "github.com/containerd/containerd/api/runtime/task/v2"
	events "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	"github.com/containerd/containerd/api/types"
	real "github.com/containerd/ttrpc"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
)

const service = "containerd.task.v2.Task"

// A server of ours, and the other end of a connection to it.
type rig struct {
	*ttrpc.Server
	t      *testing.T
	socket string
	served chan error
}

func serve(t *testing.T, methods map[string]ttrpc.Handler) *rig {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := instance.Listen("unix", socket, 0o600)
	require.NoError(t, err)
	r := &rig{&ttrpc.Server{Services: map[string]map[string]ttrpc.Handler{service: methods}}, t, socket, make(chan error, 1)}
	go func() { r.served <- r.Serve(l) }()
	return r
}

func (r *rig) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial("unix", r.socket)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	return c
}

// client is the real ttrpc's.
func (r *rig) client() taskapi.TTRPCTaskService {
	c := real.NewClient(r.dial())
	r.t.Cleanup(func() { c.Close() })
	return taskapi.NewTTRPCTaskClient(c)
}

func (r *rig) end() {
	r.t.Helper()
	require.NoError(r.t, r.Shutdown(context.Background()))
	require.NoError(r.t, <-r.served)
}

func code(t *testing.T, err error) codes.Code {
	t.Helper()
	s, ok := status.FromError(err)
	require.True(t, ok, "%v", err)
	return s.Code()
}

// containerd's client calls our server.
func TestServesTheRealClient(t *testing.T) {
	blocked, ended := make(chan struct{}), make(chan error)
	r := serve(t, map[string]ttrpc.Handler{
		"Create": ttrpc.Method(func(ctx context.Context, req *wire.CreateTaskRequest) (*wire.CreateTaskResponse, error) {
			require.Equal(t, "c1", req.ID)
			require.Equal(t, "overlay", req.Rootfs[0].Type)
			require.Equal(t, []byte("{}"), req.Options.Value)
			require.Equal(t, "00-1-2-01", ttrpc.Metadata(ctx, "traceparent"))
			require.Empty(t, ttrpc.Metadata(ctx, "other"))
			return &wire.CreateTaskResponse{Pid: uint32(len(req.Bundle))}, nil
		}),
		"Start": ttrpc.Method(func(context.Context, *wire.StartRequest) (*wire.StartResponse, error) {
			return nil, &stages.Error{Kind: stages.NotFound, Thing: "c1", Err: errors.New("no such \xff task")}
		}),
		"Kill": ttrpc.Method(func(context.Context, *wire.KillRequest) (*wire.Empty, error) {
			return nil, &ttrpc.Status{Code: 9, Message: "not now"}
		}),
		"Wait": ttrpc.Method(func(ctx context.Context, _ *wire.WaitRequest) (*wire.WaitResponse, error) {
			blocked <- struct{}{}
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}),
		"State": ttrpc.Method(func(context.Context, *wire.StateRequest) (*wire.StateResponse, error) {
			return &wire.StateResponse{Bundle: strings.Repeat("x", 4<<20)}, nil
		}),
		"Pids": ttrpc.Method(func(context.Context, *wire.PidsRequest) (*wire.PidsResponse, error) {
			return &wire.PidsResponse{}, nil
		}),
	})
	c := r.client()
	ctx := real.WithMetadata(context.Background(), real.MD{"traceparent": {"00-1-2-01"}})
	for _, size := range []int{1, 63 << 10, 65 << 10, 3 << 20} {
		created, err := c.Create(ctx, &taskapi.CreateTaskRequest{
			ID: "c1", Bundle: strings.Repeat("b", size), Rootfs: []*types.Mount{{Type: "overlay"}}, Options: &anypb.Any{Value: []byte("{}")},
		})
		require.NoError(t, err)
		require.Equal(t, uint32(size), created.Pid)
	}

	_, err := c.Start(ctx, &taskapi.StartRequest{})
	require.Equal(t, codes.NotFound, code(t, err))
	require.ErrorContains(t, err, "c1: no such \uFFFD task")
	_, err = c.Kill(ctx, &taskapi.KillRequest{})
	require.Equal(t, codes.FailedPrecondition, code(t, err))
	_, err = c.Stats(ctx, &taskapi.StatsRequest{})
	require.Equal(t, codes.Unimplemented, code(t, err))
	_, err = c.State(ctx, &taskapi.StateRequest{})
	require.Equal(t, codes.ResourceExhausted, code(t, err), "an answer of more than 4 MiB")

	// A call that waits holds up no other, and ends with the caller's patience.
	waited := make(chan error, 1)
	short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	go func() {
		_, err := c.Wait(short, &taskapi.WaitRequest{})
		waited <- err
	}()
	<-blocked
	_, err = c.Pids(ctx, &taskapi.PidsRequest{})
	require.NoError(t, err)
	require.ErrorIs(t, <-ended, context.DeadlineExceeded)
	require.Error(t, <-waited)
	r.end()
}

// The connection goes: what ran for it is told.
func TestTheCallerLeaves(t *testing.T) {
	blocked, ended := make(chan struct{}), make(chan error)
	r := serve(t, map[string]ttrpc.Handler{
		"Wait": ttrpc.Method(func(ctx context.Context, _ *wire.WaitRequest) (*wire.WaitResponse, error) {
			close(blocked)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}),
	})
	conn := r.dial()
	go taskapi.NewTTRPCTaskClient(real.NewClient(conn)).Wait(context.Background(), &taskapi.WaitRequest{})
	<-blocked
	conn.Close()
	require.ErrorIs(t, <-ended, context.Canceled)
	r.end()
}

// Shutdown lets the answers out, closes what is at rest at once, and takes nothing new.
func TestShutdown(t *testing.T) {
	blocked, release := make(chan struct{}), make(chan struct{})
	r := serve(t, map[string]ttrpc.Handler{
		"Connect": ttrpc.Method(func(context.Context, *wire.ConnectRequest) (*wire.ConnectResponse, error) {
			return &wire.ConnectResponse{}, nil
		}),
		"Shutdown": ttrpc.Method(func(context.Context, *wire.ShutdownRequest) (*wire.Empty, error) {
			close(blocked)
			<-release
			return &wire.Empty{}, nil
		}),
	})
	resting := r.dial()
	_, err := taskapi.NewTTRPCTaskClient(real.NewClient(resting)).Connect(context.Background(), &taskapi.ConnectRequest{})
	require.NoError(t, err)
	c := r.client()
	answered := make(chan error, 1)
	go func() {
		_, err := c.Shutdown(context.Background(), &taskapi.ShutdownRequest{})
		answered <- err
	}()
	<-blocked
	down := make(chan error, 1)
	go func() { down <- r.Shutdown(context.Background()) }()
	_, err = resting.Read(make([]byte, 1)) // the real client reads too; whichever is told
	require.Error(t, err)
	require.NoError(t, <-r.served)
	_, err = c.Connect(context.Background(), &taskapi.ConnectRequest{})
	require.Equal(t, codes.Unavailable, code(t, err))
	close(release)
	require.NoError(t, <-answered)
	require.NoError(t, <-down)
	_, err = net.Dial("unix", r.socket)
	require.Error(t, err)
}

// What does not end is left when the time is over.
func TestShutdownDoesNotWaitForEver(t *testing.T) {
	blocked := make(chan struct{})
	r := serve(t, map[string]ttrpc.Handler{
		"Wait": ttrpc.Method(func(ctx context.Context, _ *wire.WaitRequest) (*wire.WaitResponse, error) {
			close(blocked)
			<-ctx.Done()
			return nil, ctx.Err()
		}),
	})
	go r.client().Wait(context.Background(), &taskapi.WaitRequest{})
	<-blocked
	over, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Shutdown(over), context.Canceled)
	require.NoError(t, <-r.served)
}

// Our client calls containerd's server.
type forwarder func(*types.Envelope) error

func (f forwarder) Forward(ctx context.Context, req *events.ForwardRequest) (*emptypb.Empty, error) {
	if v, ok := real.GetMetadataValue(ctx, "containerd-namespace-ttrpc"); !ok || v != "n" {
		return nil, errors.New("no namespace")
	}
	return &emptypb.Empty{}, f(req.Envelope)
}

func TestCallsTheRealServer(t *testing.T) {
	srv, err := real.NewServer()
	require.NoError(t, err)
	release := make(chan struct{})
	var got []*types.Envelope
	events.RegisterTTRPCEventsService(srv, forwarder(func(e *types.Envelope) error {
		switch e.Topic {
		case "refuse":
			return status.Error(codes.InvalidArgument, "refused")
		case "hang":
			<-release
		}
		got = append(got, e)
		return nil
	}))
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	go srv.Serve(context.Background(), l)
	defer srv.Close()
	conn, err := net.Dial("unix", socket)
	require.NoError(t, err)
	c := ttrpc.NewClient(conn)
	send := func(ctx context.Context, topic, namespace string) error {
		e := &wire.Envelope{Topic: topic, Namespace: namespace, Timestamp: time.Unix(1, 2), Event: wire.Pack(&wire.TaskOOM{ContainerID: "c1"})}
		return c.Call(ctx, "containerd.services.events.ttrpc.v1.Events", "Forward",
			[]*wire.KeyValue{{Key: "containerd-namespace-ttrpc", Value: namespace}}, &wire.ForwardRequest{Envelope: e}, &wire.Empty{})
	}
	bounded, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, send(bounded, "/tasks/oom", "n"))
	var refused *ttrpc.Status
	require.ErrorAs(t, send(bounded, "refuse", "n"), &refused)
	require.EqualValues(t, codes.InvalidArgument, refused.Code)
	require.ErrorAs(t, send(bounded, "x", "other"), &refused)
	require.NoError(t, send(context.Background(), "/tasks/oom", "n"), "a refusal leaves the connection in order")
	require.Len(t, got, 2)
	require.Equal(t, "containerd.events.TaskOOM", got[0].Event.TypeUrl)
	require.Equal(t, time.Unix(1, 2).UTC(), got[0].Timestamp.AsTime())
	require.ErrorAs(t, c.Call(bounded, "nosuch", "Forward", nil, &wire.Empty{}, &wire.Empty{}), &refused)
	require.EqualValues(t, codes.Unimplemented, refused.Code)

	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, send(short, "hang", "n"), context.DeadlineExceeded)
	close(release)
	require.ErrorIs(t, send(bounded, "/tasks/oom", "n"), net.ErrClosed, "the connection's state was not known")
}
