package containerd

import (
	"context"
	"encoding/json"

	"hull/stages"

	"github.com/containerd/containerd/api/services/containers/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/api/types"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// specURL names the type of a container's spec to containerd (containerd, pkg/oci: the spec is JSON inside an Any).
const specURL = "types.containerd.io/opencontainers/runtime-spec/1/Spec"

// LabelInstance marks what belongs to one hull instance: several may share one foreign containerd.
const LabelInstance = "hull.instance"

// A Container is what the daemon asks containerd to record. Its snapshot has the container's own id as key.
type Container struct {
	ID       string
	Image    string
	Runtime  string
	Instance string
	Spec     *specs.Spec
	Volatile bool // it is removed at its exit
}

// labelVolatile tells our own containerd that a record need not survive a power cut, and so costs no fsync. Others keep it as a label.
const labelVolatile = "hull.rm"

// CreateContainer records the container. The record refers to the snapshot, which keeps both from being collected as garbage.
func (c *Client) CreateContainer(ctx context.Context, ctr Container) error {
	spec, err := json.Marshal(ctr.Spec)
	if err != nil {
		return err
	}
	labels := map[string]string{LabelInstance: ctr.Instance}
	if ctr.Volatile {
		labels[labelVolatile] = "true"
	}
	_, err = c.containers.Create(ctx, &containers.CreateContainerRequest{Container: &containers.Container{
		ID: ctr.ID, Image: ctr.Image, Labels: labels,
		Runtime: &containers.Container_Runtime{Name: ctr.Runtime}, Spec: &anypb.Any{TypeUrl: specURL, Value: spec},
		Snapshotter: Snapshotter, SnapshotKey: ctr.ID,
	}})
	return c.wrap(stages.ContainerdContainerCreate, ctr.ID, err)
}

// Spec is the container's spec as it was recorded.
func (c *Client) Spec(ctx context.Context, id string) (*specs.Spec, error) {
	r, err := c.containers.Get(ctx, &containers.GetContainerRequest{ID: id})
	if err != nil {
		return nil, c.wrap(stages.None, id, err)
	}
	var s specs.Spec
	if err := json.Unmarshal(r.Container.GetSpec().GetValue(), &s); err != nil {
		return nil, &stages.Error{Kind: stages.Internal, Thing: "spec of " + id, Err: err}
	}
	return &s, nil
}

// SetSpec records another spec for the container: the next run follows it.
func (c *Client) SetSpec(ctx context.Context, id string, s *specs.Spec) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = c.containers.Update(ctx, &containers.UpdateContainerRequest{
		Container:  &containers.Container{ID: id, Spec: &anypb.Any{TypeUrl: specURL, Value: text}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"spec"}},
	})
	return c.wrap(stages.None, id, err)
}

// DeleteContainer removes the record; a missing one is no error.
func (c *Client) DeleteContainer(ctx context.Context, id string) error {
	_, err := c.containers.Delete(ctx, &containers.DeleteContainerRequest{ID: id})
	return ignore(stages.NotFound, c.wrap(stages.None, id, err))
}

// ContainersOf lists the ids of the instance's containers.
func (c *Client) ContainersOf(ctx context.Context, instance string) ([]string, error) {
	r, err := c.containers.List(ctx, &containers.ListContainersRequest{Filters: []string{`labels."` + LabelInstance + `"==` + instance}})
	if err != nil {
		return nil, c.wrap(stages.None, "containers", err)
	}
	var ids []string
	for _, ctr := range r.Containers {
		if ctr.Labels[LabelInstance] == instance { // whether or not the server knows filters
			ids = append(ids, ctr.ID)
		}
	}
	return ids, nil
}

// PrepareSnapshot makes the container's writable layer over the image's (parent is the chain id of its topmost layer) and says how to mount
// it. Until the container's record refers to it, its own label keeps it from being collected. A volatile one is removed with its container's
// exit.
func (c *Client) PrepareSnapshot(ctx context.Context, key, parent string, volatile bool) ([]*types.Mount, error) {
	labels := map[string]string{"containerd.io/gc.root": "hull"}
	if volatile {
		labels[labelVolatile] = "true"
	}
	r, err := c.snapshots.Prepare(ctx, &snapshots.PrepareSnapshotRequest{Snapshotter: Snapshotter, Key: key, Parent: parent, Labels: labels})
	if err != nil {
		return nil, c.wrap(stages.ContainerdSnapshotPrepare, key, err)
	}
	return r.Mounts, nil
}

// SnapshotMounts says how a prepared snapshot is mounted.
func (c *Client) SnapshotMounts(ctx context.Context, key string) ([]*types.Mount, error) {
	r, err := c.snapshots.Mounts(ctx, &snapshots.MountsRequest{Snapshotter: Snapshotter, Key: key})
	if err != nil {
		return nil, c.wrap(stages.None, key, err)
	}
	return r.Mounts, nil
}

// SnapshotUsage is how many bytes the container itself has written.
func (c *Client) SnapshotUsage(ctx context.Context, key string) (int64, error) {
	r, err := c.snapshots.Usage(ctx, &snapshots.UsageRequest{Snapshotter: Snapshotter, Key: key})
	if err != nil {
		return 0, c.wrap(stages.None, key, err)
	}
	return r.Size, nil
}

// RemoveSnapshot removes the container's writable layer; a missing one is no error.
func (c *Client) RemoveSnapshot(ctx context.Context, key string) error {
	_, err := c.snapshots.Remove(ctx, &snapshots.RemoveSnapshotRequest{Snapshotter: Snapshotter, Key: key})
	return ignore(stages.NotFound, c.wrap(stages.None, key, err))
}

func ignore(kind stages.Kind, err error) error {
	if err != nil && stages.KindOf(err) == kind {
		return nil
	}
	return err
}
