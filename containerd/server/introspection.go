package server

import (
	"context"
	"os"
	"runtime"

	api "github.com/containerd/containerd/api/services/introspection/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/pkg/filters"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/stages"
)

// introspection says who answers and what it is made of.
type introspection struct {
	api.UnimplementedIntrospectionServer
	uuid    string // of this process: clients use it only to tell two daemons apart
	started *timestamppb.Timestamp
}

func newIntrospection() *introspection {
	return &introspection{uuid: uuid.NewString(), started: timestamppb.Now()}
}

func (i *introspection) Server(context.Context, *emptypb.Empty) (*api.ServerResponse, error) {
	return &api.ServerResponse{UUID: i.uuid, Pid: uint64(os.Getpid())}, nil
}

// plugins is what takes the place of containerd's plugins here. Clients look for the snapshotter among them, for its platforms.
var plugins = []*api.Plugin{
	{Type: "io.containerd.content.v1", ID: "content"},
	{Type: "io.containerd.snapshotter.v1", ID: snapshotter},
	{Type: "io.containerd.metadata.v1", ID: "bolt"},
	{Type: "io.containerd.differ.v1", ID: "walking"},
	{Type: "io.containerd.runtime.v2", ID: "task"},
	{Type: "io.containerd.grpc.v1", ID: "containers"},
	{Type: "io.containerd.grpc.v1", ID: "content"},
	{Type: "io.containerd.grpc.v1", ID: "diff"},
	{Type: "io.containerd.grpc.v1", ID: "events"},
	{Type: "io.containerd.grpc.v1", ID: "healthcheck"},
	{Type: "io.containerd.grpc.v1", ID: "images"},
	{Type: "io.containerd.grpc.v1", ID: "introspection"},
	{Type: "io.containerd.grpc.v1", ID: "leases"},
	{Type: "io.containerd.grpc.v1", ID: "namespaces"},
	{Type: "io.containerd.grpc.v1", ID: "snapshots"},
	{Type: "io.containerd.grpc.v1", ID: "tasks"},
	{Type: "io.containerd.grpc.v1", ID: "version"},
}

func (i *introspection) Plugins(_ context.Context, req *api.PluginsRequest) (*api.PluginsResponse, error) {
	filter, err := filters.ParseAll(req.Filters...)
	if err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "filter", Err: err}
	}
	answer := &api.PluginsResponse{}
	for _, p := range plugins {
		fields := filters.AdapterFunc(func(path []string) (string, bool) {
			switch {
			case len(path) == 1 && path[0] == "type":
				return p.Type, true
			case len(path) == 1 && path[0] == "id":
				return p.ID, true
			}
			return "", false
		})
		if filter.Match(fields) {
			answer.Plugins = append(answer.Plugins, &api.Plugin{
				Type: p.Type, ID: p.ID, Platforms: []*types.Platform{{OS: "linux", Architecture: runtime.GOARCH}},
			})
		}
	}
	return answer, nil
}
