package server

import (
	"context"
	"strings"

	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	ctdns "github.com/containerd/containerd/v2/pkg/namespaces"

	"hull/stages"
)

// unary stands around every call: it joins the caller's trace, and gives errors the codes that containerd's clients know.
func (s *server) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	answer, err := handle(s.enter(ctx), req)
	return answer, wire(err)
}

func (s *server) stream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return wire(handle(srv, &entered{ss, s.enter(ss.Context())}))
}

// entered is a stream with the context that enter made.
type entered struct {
	grpc.ServerStream
	ctx context.Context
}

func (e *entered) Context() context.Context { return e.ctx }

// enter reads a call's metadata: containerd's namespace, and (by otelgrpc's handler) the place in the caller's trace.
func (s *server) enter(ctx context.Context) context.Context {
	if ns, ok := ctdns.Namespace(ctx); ok {
		ctx = ctdns.WithNamespace(ctx, ns)
	}
	return s.tracing.Enter(ctx)
}

// wire turns an error into a gRPC status: by its stages.Kind, by containerd's error classes, or as the shim sent it.
func wire(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok {
		return s.Err() // with the words that were wrapped around it
	}
	if e, ok := asError(err); ok {
		return status.Error(codes.Code(e.Kind.GRPC()), oneLine(err))
	}
	return errgrpc.ToGRPC(err)
}

func asError(err error) (*stages.Error, bool) {
	for err != nil {
		if e, ok := err.(*stages.Error); ok {
			return e, true
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return nil, false
		}
		err = u.Unwrap()
	}
	return nil, false
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", " ") }

// refused is the answer to what is known and not offered.
func refused(what string) error {
	return &stages.Error{Kind: stages.Unsupported, Thing: what, Err: errNotOffered}
}

var errNotOffered = status.Error(codes.Unimplemented, "not offered by hull-containerd")
