package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	api "github.com/containerd/containerd/api/services/events/v1"
	ttrpcapi "github.com/containerd/containerd/api/services/ttrpc/events/v1"
	apitypes "github.com/containerd/containerd/api/types"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/event"
	"hull/stages"
	"hull/trace/span"
)

// events is the service of the same name, for clients.
type events struct {
	api.UnimplementedEventsServer
	*server
}

func (s *events) Publish(ctx context.Context, req *api.PublishRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	env := &apitypes.Envelope{Timestamp: timestamppb.New(time.Now()), Namespace: ns, Topic: req.Topic, Event: req.Event}
	return &emptypb.Empty{}, s.tasks.Forward(ctx, env)
}

func (s *events) Forward(ctx context.Context, req *api.ForwardRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.tasks.Forward(ctx, req.Envelope)
}

// Subscribe sends what matches until the client leaves. The headers go out at once: a client may wait for them to know that from now on
// it misses nothing.
func (s *events) Subscribe(req *api.SubscribeRequest, stream api.Events_SubscribeServer) error {
	sub, err := s.events.Subscribe(req.Filters)
	if err != nil {
		return err
	}
	defer sub.Cancel()
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	for {
		select {
		case env, ok := <-sub.C:
			if !ok {
				return event.ErrSlow
			}
			if err := stream.Send(env); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-s.done:
			return &stages.Error{Kind: stages.Unavailable, Thing: "events", Err: errors.New("hull-containerd leaves")}
		}
	}
}

// shimEvents is the service that shims call, over ttrpc.
type shimEvents struct{ *server }

func (s *shimEvents) Forward(ctx context.Context, req *ttrpcapi.ForwardRequest) (*emptypb.Empty, error) {
	if md, ok := ttrpc.GetMetadata(ctx); ok {
		if parent, ok := md.Get("traceparent"); ok && len(parent) > 0 {
			ctx = s.recorder.Join(ctx, span.Parse(parent[0]))
		}
	}
	if err := s.tasks.Forward(ctx, req.Envelope); err != nil {
		return nil, wire(err)
	}
	return &emptypb.Empty{}, nil
}

// serveShims answers shims in the background until the returned server is closed.
func (s *server) serveShims(l net.Listener) (*ttrpc.Server, error) {
	t, err := ttrpc.NewServer()
	if err != nil {
		return nil, err
	}
	ttrpcapi.RegisterTTRPCEventsService(t, &shimEvents{s})
	go func() {
		if err := t.Serve(context.Background(), l); err != nil && !errors.Is(err, ttrpc.ErrServerClosed) {
			slog.Error("the shims' event socket", "error", err)
		}
	}()
	return t, nil
}
