package server

import (
	"context"

	shimapi "github.com/containerd/containerd/api/runtime/task/v2"
	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	api "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/pkg/filters"
	"github.com/containerd/containerd/v2/pkg/identifiers"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/meta"
	"hull/containerd/task"
	"hull/stages"
)

// tasks is the service of the same name.
type tasks struct {
	api.UnimplementedTasksServer
	*server
	containers *meta.Table[*containersapi.Container]
}

func (s *tasks) Create(ctx context.Context, req *api.CreateTaskRequest) (*api.CreateTaskResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	if req.Checkpoint != nil {
		return nil, refused("starting from a checkpoint")
	}
	if req.RuntimePath != "" {
		return nil, refused("a task's own runtime path (name the runtime in the container)")
	}
	c, err := s.containers.Get(ns, req.ContainerID)
	if err != nil {
		return nil, err
	}
	options := req.Options
	if options == nil {
		options = c.Runtime.GetOptions()
	}
	pid, err := s.server.tasks.Create(ctx, task.Order{
		Namespace: ns, ID: c.ID, Runtime: c.Runtime.GetName(), Spec: c.Spec.GetValue(), Options: options, Rootfs: req.Rootfs,
		Stdin: req.Stdin, Stdout: req.Stdout, Stderr: req.Stderr, Terminal: req.Terminal,
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateTaskResponse{ContainerID: c.ID, Pid: pid}, nil
}

func (s *tasks) Start(ctx context.Context, req *api.StartRequest) (*api.StartResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	pid, err := s.server.tasks.Start(ctx, ns, req.ContainerID, req.ExecID)
	return &api.StartResponse{Pid: pid}, err
}

func (s *tasks) Delete(ctx context.Context, req *api.DeleteTaskRequest) (*api.DeleteResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.server.tasks.Delete(ctx, ns, req.ContainerID)
	return &api.DeleteResponse{ID: req.ContainerID, Pid: e.PID, ExitStatus: e.Status, ExitedAt: timestamppb.New(e.At)}, err
}

func (s *tasks) DeleteProcess(ctx context.Context, req *api.DeleteProcessRequest) (*api.DeleteResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.server.tasks.DeleteProcess(ctx, ns, req.ContainerID, req.ExecID)
	return &api.DeleteResponse{ID: req.ExecID, Pid: e.PID, ExitStatus: e.Status, ExitedAt: timestamppb.New(e.At)}, err
}

func (s *tasks) Get(ctx context.Context, req *api.GetRequest) (*api.GetResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.server.tasks.Get(ctx, ns, req.ContainerID, req.ExecID)
	return &api.GetResponse{Process: p}, err
}

func (s *tasks) List(ctx context.Context, _ *api.ListTasksRequest) (*api.ListTasksResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	return &api.ListTasksResponse{Tasks: s.server.tasks.List(ctx, ns)}, nil
}

func (s *tasks) Kill(ctx context.Context, req *api.KillRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.server.tasks.Kill(ctx, ns, req.ContainerID, req.ExecID, req.Signal, req.All)
}

func (s *tasks) Exec(ctx context.Context, req *api.ExecProcessRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	if err := identifiers.Validate(req.ExecID); err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "exec id", Err: err}
	}
	return &emptypb.Empty{}, s.server.tasks.Exec(ctx, ns, req.ContainerID, &shimapi.ExecProcessRequest{
		ID: req.ContainerID, ExecID: req.ExecID, Terminal: req.Terminal, Stdin: req.Stdin, Stdout: req.Stdout, Stderr: req.Stderr, Spec: req.Spec,
	})
}

func (s *tasks) ResizePty(ctx context.Context, req *api.ResizePtyRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.server.tasks.ResizePty(ctx, ns, req.ContainerID, req.ExecID, req.Width, req.Height)
}

func (s *tasks) CloseIO(ctx context.Context, req *api.CloseIORequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.server.tasks.CloseIO(ctx, ns, req.ContainerID, req.ExecID, req.Stdin)
}

func (s *tasks) Pause(ctx context.Context, req *api.PauseTaskRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.server.tasks.Pause(ctx, ns, req.ContainerID)
}

func (s *tasks) Resume(ctx context.Context, req *api.ResumeTaskRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.server.tasks.Resume(ctx, ns, req.ContainerID)
}

func (s *tasks) ListPids(ctx context.Context, req *api.ListPidsRequest) (*api.ListPidsResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	pids, err := s.server.tasks.Pids(ctx, ns, req.ContainerID)
	return &api.ListPidsResponse{Processes: pids}, err
}

func (s *tasks) Checkpoint(context.Context, *api.CheckpointTaskRequest) (*api.CheckpointTaskResponse, error) {
	return nil, refused("checkpoints")
}

func (s *tasks) Update(ctx context.Context, req *api.UpdateTaskRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.server.tasks.Update(ctx, ns, req.ContainerID, req.Resources, req.Annotations)
}

// Metrics takes the filters that containerd's does: by the container's id.
func (s *tasks) Metrics(ctx context.Context, req *api.MetricsRequest) (*api.MetricsResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := parseFilters(req.Filters)
	if err != nil {
		return nil, err
	}
	keep := func(id string) bool {
		return filter.Match(filters.AdapterFunc(func(path []string) (string, bool) {
			switch {
			case len(path) == 1 && path[0] == "id":
				return id, true
			case len(path) == 1 && path[0] == "namespace":
				return ns, true
			}
			return "", false
		}))
	}
	return &api.MetricsResponse{Metrics: s.server.tasks.Metrics(ctx, ns, keep)}, nil
}

func (s *tasks) Wait(ctx context.Context, req *api.WaitRequest) (*api.WaitResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.server.tasks.Wait(ctx, ns, req.ContainerID, req.ExecID)
	return &api.WaitResponse{ExitStatus: e.Status, ExitedAt: timestamppb.New(e.At)}, err
}
