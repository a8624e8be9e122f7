package server

import (
	"context"
	"strings"

	apievents "github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/services/containers/v1"
	"github.com/containerd/containerd/v2/pkg/filters"
	"github.com/containerd/containerd/v2/pkg/identifiers"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/meta"
	"hull/stages"
	"hull/trace/span"
)

// containers is the service of the same name: a container is a record, a task makes it run. With the label hull.rm=true the record is
// not synced to the disk: such a container is gone after its exit anyhow.
type containers struct {
	api.UnimplementedContainersServer
	*server
	table *meta.Table[*api.Container]
}

func newContainerTable(db *meta.DB) *meta.Table[*api.Container] {
	return meta.Proto[api.Container](db, "container")
}

func (s *containers) Get(ctx context.Context, req *api.GetContainerRequest) (*api.GetContainerResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.table.Get(ns, req.ID)
	if err != nil {
		return nil, err
	}
	return &api.GetContainerResponse{Container: c}, nil
}

func (s *containers) list(ctx context.Context, expressions []string) ([]*api.Container, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := parseFilters(expressions)
	if err != nil {
		return nil, err
	}
	return s.table.List(ns, func(c *api.Container) bool { return filter.Match(containerFields(c)) })
}

func (s *containers) List(ctx context.Context, req *api.ListContainersRequest) (*api.ListContainersResponse, error) {
	all, err := s.list(ctx, req.Filters)
	if err != nil {
		return nil, err
	}
	return &api.ListContainersResponse{Containers: all}, nil
}

func (s *containers) ListStream(req *api.ListContainersRequest, stream api.Containers_ListStreamServer) error {
	all, err := s.list(stream.Context(), req.Filters)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := stream.Send(&api.ListContainerMessage{Container: c}); err != nil {
			return err
		}
	}
	return nil
}

func containerFields(c *api.Container) filters.Adaptor {
	return filters.AdapterFunc(func(path []string) (string, bool) {
		switch {
		case len(path) == 0:
		case path[0] == "id":
			return c.ID, c.ID != ""
		case path[0] == "image":
			return c.Image, c.Image != ""
		case path[0] == "runtime" && len(path) > 1 && path[1] == "name":
			return c.Runtime.GetName(), c.Runtime.GetName() != ""
		case path[0] == "labels":
			v, ok := c.Labels[strings.Join(path[1:], ".")]
			return v, ok
		}
		return "", false
	})
}

func checkContainer(c *api.Container) error {
	if err := identifiers.Validate(c.GetID()); err != nil {
		return &stages.Error{Step: stages.ContainerdContainerCreate, Kind: stages.Invalid, Thing: "container", Err: err}
	}
	if c.Runtime.GetName() == "" {
		return &stages.Error{Step: stages.ContainerdContainerCreate, Kind: stages.Invalid, Thing: "container " + c.ID + ": runtime", Err: errNoName}
	}
	if c.Snapshotter != "" && c.Snapshotter != snapshotter {
		return &stages.Error{
			Step: stages.ContainerdContainerCreate, Kind: stages.NotFound, Thing: "snapshotter " + c.Snapshotter, Err: errNotOffered,
			Hint: "there is one: " + snapshotter,
		}
	}
	return checkLabels(c.Labels)
}

func (s *containers) Create(ctx context.Context, req *api.CreateContainerRequest) (_ *api.CreateContainerResponse, err error) {
	c := req.GetContainer()
	ctx, sp := span.Start(ctx, stages.ContainerdContainerCreate)
	sp.Set(stages.AttrContainer, c.GetID())
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return nil, err
	}
	ns, err := s.namespaces.use(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkContainer(c); err != nil {
		return nil, err
	}
	defer s.gc.rely()()
	c.CreatedAt = timestamppb.Now()
	c.UpdatedAt = c.CreatedAt
	if err := s.table.Create(ns, c.ID, c, meta.Volatile(c.Labels)); err != nil {
		return nil, err
	}
	return &api.CreateContainerResponse{Container: c}, s.events.Publish(ns, "/containers/create", &apievents.ContainerCreate{
		ID: c.ID, Image: c.Image, Runtime: &apievents.ContainerCreate_Runtime{Name: c.Runtime.GetName(), Options: c.Runtime.GetOptions()},
	})
}

// Update changes a record: the fields its mask names, or all that can change. A record stays in the file where it was created,
// whatever its labels say afterwards.
func (s *containers) Update(ctx context.Context, req *api.UpdateContainerRequest) (*api.UpdateContainerResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gc.rely()()
	new, paths := req.GetContainer(), req.GetUpdateMask().GetPaths()
	if len(paths) == 0 {
		paths = []string{"labels", "spec", "extensions", "image", "snapshotter", "snapshotkey", "runtime"}
	}
	c, err := s.table.Update(ns, new.GetID(), func(old *api.Container) (*api.Container, error) {
		c := proto.Clone(old).(*api.Container)
		for _, path := range paths {
			if err := copyField(c, new, path); err != nil {
				return nil, err
			}
		}
		c.UpdatedAt = timestamppb.Now()
		return c, checkContainer(c)
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateContainerResponse{Container: c}, s.events.Publish(ns, "/containers/update", &apievents.ContainerUpdate{
		ID: c.ID, Image: c.Image, Labels: c.Labels, SnapshotKey: c.SnapshotKey,
	})
}

// copyField copies the field that a mask's path names.
func copyField(to, from *api.Container, path string) error {
	if key, ok := strings.CutPrefix(path, "extensions."); ok {
		if to.Extensions == nil {
			to.Extensions = map[string]*anypb.Any{}
		}
		if to.Extensions[key] = from.Extensions[key]; to.Extensions[key] == nil {
			delete(to.Extensions, key)
		}
		return nil
	}
	switch path {
	case "spec":
		to.Spec = from.Spec
	case "extensions":
		to.Extensions = from.Extensions
	case "image":
		to.Image = from.Image
	case "snapshotter":
		to.Snapshotter = from.Snapshotter
	case "snapshotkey":
		to.SnapshotKey = from.SnapshotKey
	case "runtime":
		to.Runtime = from.Runtime
	default:
		labels, err := changeLabels(to.Labels, from.Labels, []string{path})
		to.Labels = labels
		return err
	}
	return nil
}

// Delete forgets a container that has no task.
func (s *containers) Delete(ctx context.Context, req *api.DeleteContainerRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	if s.tasks.Exists(ns, req.ID) {
		return nil, &stages.Error{Kind: stages.Conflict, Thing: "container " + req.ID, Err: errHasTask, Hint: "delete the task first"}
	}
	if _, err := s.table.Delete(ns, req.ID); err != nil {
		return nil, err
	}
	s.gc.changed()
	return &emptypb.Empty{}, s.events.Publish(ns, "/containers/delete", &apievents.ContainerDelete{ID: req.ID})
}
