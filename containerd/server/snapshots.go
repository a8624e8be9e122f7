package server

import (
	"context"
	"strings"

	apievents "github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/pkg/filters"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/gc"
	"hull/containerd/snapshot"
	"hull/stages"
)

// snapshotter is the one snapshotter's name, containerd's own for what it does.
const snapshotter = "overlayfs"

// snapshots is the service of the same name.
type snapshots struct {
	api.UnimplementedSnapshotsServer
	*server
}

// of is a call's namespace, after a look at the snapshotter's name.
func (s *snapshots) of(ctx context.Context, name string) (string, error) {
	if name != "" && name != snapshotter {
		return "", &stages.Error{Kind: stages.NotFound, Thing: "snapshotter " + name, Err: errNotOffered, Hint: "there is one: " + snapshotter}
	}
	return s.namespaces.of(ctx)
}

func (s *snapshots) Prepare(ctx context.Context, req *api.PrepareSnapshotRequest) (*api.PrepareSnapshotResponse, error) {
	mounts, err := s.prepare(ctx, req.Snapshotter, snapshot.Active, req.Key, req.Parent, req.Labels)
	return &api.PrepareSnapshotResponse{Mounts: mounts}, err
}

func (s *snapshots) View(ctx context.Context, req *api.ViewSnapshotRequest) (*api.ViewSnapshotResponse, error) {
	mounts, err := s.prepare(ctx, req.Snapshotter, snapshot.View, req.Key, req.Parent, req.Labels)
	return &api.ViewSnapshotResponse{Mounts: mounts}, err
}

func (s *snapshots) prepare(ctx context.Context, name string, kind snapshot.Kind, key, parent string, labels map[string]string) ([]*types.Mount, error) {
	if _, err := s.of(ctx, name); err != nil {
		return nil, err
	}
	if err := checkLabels(labels); err != nil {
		return nil, err
	}
	ns, err := s.namespaces.use(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.gc.hold(ctx, ns, gc.Snapshot, key); err != nil {
		return nil, err
	}
	mounts, err := s.server.snapshots.Prepare(ctx, ns, kind, key, parent, labels)
	if err != nil {
		return nil, err
	}
	return wireMounts(mounts), s.events.Publish(ns, "/snapshot/prepare", &apievents.SnapshotPrepare{Key: key, Parent: parent, Snapshotter: snapshotter})
}

func wireMounts(mounts []snapshot.Mount) []*types.Mount {
	w := make([]*types.Mount, len(mounts))
	for i, m := range mounts {
		w[i] = &types.Mount{Type: m.Type, Source: m.Source, Options: m.Options}
	}
	return w
}

func (s *snapshots) Mounts(ctx context.Context, req *api.MountsRequest) (*api.MountsResponse, error) {
	ns, err := s.of(ctx, req.Snapshotter)
	if err != nil {
		return nil, err
	}
	mounts, err := s.server.snapshots.Mounts(ns, req.Key)
	return &api.MountsResponse{Mounts: wireMounts(mounts)}, err
}

func (s *snapshots) Commit(ctx context.Context, req *api.CommitSnapshotRequest) (*emptypb.Empty, error) {
	ns, err := s.of(ctx, req.Snapshotter)
	if err != nil {
		return nil, err
	}
	if err := checkLabels(req.Labels); err != nil {
		return nil, err
	}
	if err := s.gc.hold(ctx, ns, gc.Snapshot, req.Name); err != nil {
		return nil, err
	}
	if err := s.server.snapshots.Commit(ns, req.Name, req.Key, req.Labels); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.events.Publish(ns, "/snapshot/commit", &apievents.SnapshotCommit{Key: req.Key, Name: req.Name, Snapshotter: snapshotter})
}

func (s *snapshots) Remove(ctx context.Context, req *api.RemoveSnapshotRequest) (*emptypb.Empty, error) {
	ns, err := s.of(ctx, req.Snapshotter)
	if err != nil {
		return nil, err
	}
	if err := s.server.snapshots.Remove(ns, req.Key); err != nil {
		return nil, err
	}
	s.gc.changed()
	return &emptypb.Empty{}, s.events.Publish(ns, "/snapshot/remove", &apievents.SnapshotRemove{Key: req.Key, Snapshotter: snapshotter})
}

func wireInfo(i snapshot.Info) *api.Info {
	kind := map[snapshot.Kind]api.Kind{snapshot.Active: api.Kind_ACTIVE, snapshot.View: api.Kind_VIEW, snapshot.Committed: api.Kind_COMMITTED}
	return &api.Info{
		Name: i.Name, Parent: i.Parent, Kind: kind[i.Kind], CreatedAt: timestamppb.New(i.Created), UpdatedAt: timestamppb.New(i.Updated), Labels: i.Labels,
	}
}

func (s *snapshots) Stat(ctx context.Context, req *api.StatSnapshotRequest) (*api.StatSnapshotResponse, error) {
	ns, err := s.of(ctx, req.Snapshotter)
	if err != nil {
		return nil, err
	}
	i, err := s.server.snapshots.Stat(ns, req.Key)
	if err != nil {
		return nil, err
	}
	return &api.StatSnapshotResponse{Info: wireInfo(i)}, nil
}

// Update changes a snapshot's labels; nothing else of it can change.
func (s *snapshots) Update(ctx context.Context, req *api.UpdateSnapshotRequest) (*api.UpdateSnapshotResponse, error) {
	ns, err := s.of(ctx, req.Snapshotter)
	if err != nil {
		return nil, err
	}
	defer s.gc.rely()()
	i, err := s.server.snapshots.SetLabels(ns, req.GetInfo().GetName(), func(old map[string]string) (map[string]string, error) {
		return changeLabels(old, req.GetInfo().GetLabels(), req.GetUpdateMask().GetPaths())
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateSnapshotResponse{Info: wireInfo(i)}, nil
}

// listBatch is how many snapshots one message of List carries.
const listBatch = 100

func (s *snapshots) List(req *api.ListSnapshotsRequest, stream api.Snapshots_ListServer) error {
	ns, err := s.of(stream.Context(), req.Snapshotter)
	if err != nil {
		return err
	}
	filter, err := parseFilters(req.Filters)
	if err != nil {
		return err
	}
	all, err := s.server.snapshots.List(ns, func(i snapshot.Info) bool { return filter.Match(snapshotFields(i)) })
	if err != nil {
		return err
	}
	for len(all) > 0 {
		n := min(len(all), listBatch)
		answer := &api.ListSnapshotsResponse{}
		for _, i := range all[:n] {
			answer.Info = append(answer.Info, wireInfo(i))
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

func snapshotFields(i snapshot.Info) filters.Adaptor {
	return filters.AdapterFunc(func(path []string) (string, bool) {
		switch {
		case len(path) == 0:
		case path[0] == "name":
			return i.Name, true
		case path[0] == "parent":
			return i.Parent, i.Parent != ""
		case path[0] == "kind":
			return string(i.Kind), true
		case path[0] == "labels":
			v, ok := i.Labels[strings.Join(path[1:], ".")]
			return v, ok
		}
		return "", false
	})
}

func (s *snapshots) Usage(ctx context.Context, req *api.UsageRequest) (*api.UsageResponse, error) {
	ns, err := s.of(ctx, req.Snapshotter)
	if err != nil {
		return nil, err
	}
	size, inodes, err := s.server.snapshots.Usage(ns, req.Key)
	if err != nil {
		return nil, err
	}
	return &api.UsageResponse{Size: size, Inodes: inodes}, nil
}

// Cleanup has nothing to do: Remove removes at once.
func (s *snapshots) Cleanup(ctx context.Context, req *api.CleanupRequest) (*emptypb.Empty, error) {
	_, err := s.of(ctx, req.Snapshotter)
	return &emptypb.Empty{}, err
}
