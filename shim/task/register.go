package task

import (
	"context"

	"hull/stages"
	"hull/trace/span"

	taskapi "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Register binds the service to both names under which containerd may call it: containerd.task.v3.Task has the same methods and the same
// messages on the wire, and its Go package would bring gRPC and net/http along.
func Register(srv *ttrpc.Server, s *Service) {
	srv.RegisterService("containerd.task.v2.Task", &ttrpc.ServiceDesc{Methods: methods(s)})
	srv.RegisterService("containerd.task.v3.Task", &ttrpc.ServiceDesc{Methods: methods(s)})
}

func methods(s taskapi.TTRPCTaskService) map[string]ttrpc.Method {
	return map[string]ttrpc.Method{
		"State": method(s.State), "Create": method(s.Create), "Start": method(s.Start), "Delete": method(s.Delete), "Pids": method(s.Pids),
		"Pause": method(s.Pause), "Resume": method(s.Resume), "Checkpoint": method(s.Checkpoint), "Kill": method(s.Kill), "Exec": method(s.Exec),
		"ResizePty": method(s.ResizePty), "CloseIO": method(s.CloseIO), "Update": method(s.Update), "Wait": method(s.Wait), "Stats": method(s.Stats),
		"Connect": method(s.Connect), "Shutdown": method(s.Shutdown),
	}
}

func method[Req, Resp any](call func(context.Context, *Req) (*Resp, error)) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(any) error) (any, error) {
		req := new(Req)
		if err := unmarshal(req); err != nil {
			return nil, err
		}
		resp, err := call(ctx, req)
		if err != nil {
			return nil, err
		}
		return resp, nil
	}
}

// Interceptor stands before every call: it joins the caller's trace (metadata "traceparent"; without one, the trace in which this shim was
// started) and gives errors their gRPC code.
func Interceptor(rec *span.Recorder, started span.Context) ttrpc.UnaryServerInterceptor {
	return func(ctx context.Context, unmarshal ttrpc.Unmarshaler, _ *ttrpc.UnaryServerInfo, next ttrpc.Method) (any, error) {
		parent := started
		if header, ok := ttrpc.GetMetadataValue(ctx, "traceparent"); ok {
			if c := span.Parse(header); c.Valid() {
				parent = c
			}
		}
		resp, err := next(rec.Join(ctx, parent), unmarshal)
		rec.Flush()
		if err != nil {
			if _, ok := status.FromError(err); !ok {
				err = status.Error(codes.Code(stages.KindOf(err).GRPC()), err.Error())
			}
			return nil, err
		}
		return resp, nil
	}
}
