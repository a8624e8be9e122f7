package containerd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"hull/stages"

	"github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An Image is a name in containerd's image store, and what it points to.
type Image struct {
	Name    string
	Target  ocispec.Descriptor
	Created time.Time
}

// Content is containerd's content store: blobs by their digest.
func (c *Client) Content() content.Store { return proxy.NewContentStore(c.content) }

// Image looks up a full name, such as docker.io/library/busybox:latest.
func (c *Client) Image(ctx context.Context, name string) (Image, error) {
	r, err := c.images.Get(ctx, &images.GetImageRequest{Name: name})
	if err != nil {
		return Image{}, c.wrap(stages.None, name, err)
	}
	return fromProto(r.Image), nil
}

// Images lists all names.
func (c *Client) Images(ctx context.Context) ([]Image, error) {
	r, err := c.images.List(ctx, &images.ListImagesRequest{})
	if err != nil {
		return nil, c.wrap(stages.None, "images", err)
	}
	all := make([]Image, 0, len(r.Images))
	for _, img := range r.Images {
		all = append(all, fromProto(img))
	}
	return all, nil
}

// PutImage makes the name point to the target, whatever it pointed to before.
func (c *Client) PutImage(ctx context.Context, name string, target ocispec.Descriptor) error {
	img := &images.Image{Name: name, Target: &types.Descriptor{
		MediaType: target.MediaType, Digest: target.Digest.String(), Size: target.Size, Annotations: target.Annotations,
	}}
	_, err := c.images.Create(ctx, &images.CreateImageRequest{Image: img})
	if err = c.wrap(stages.None, name, err); stages.KindOf(err) == stages.Conflict {
		_, err = c.images.Update(ctx, &images.UpdateImageRequest{Image: img})
		err = c.wrap(stages.None, name, err)
	}
	return err
}

// DeleteImage removes a name. With sync it returns after what nothing refers to any more has been collected.
func (c *Client) DeleteImage(ctx context.Context, name string, sync bool) error {
	_, err := c.images.Delete(ctx, &images.DeleteImageRequest{Name: name, Sync: sync})
	return c.wrap(stages.None, name, err)
}

// HasSnapshot reports whether a layer's chain is unpacked already.
func (c *Client) HasSnapshot(ctx context.Context, chain string) (bool, error) {
	_, err := c.snapshots.Stat(ctx, &snapshots.StatSnapshotRequest{Snapshotter: Snapshotter, Key: chain})
	if err = c.wrap(stages.None, chain, err); stages.KindOf(err) == stages.NotFound {
		return false, nil
	}
	return err == nil, err
}

// HoldSnapshot is HasSnapshot, and keeps the chain under the call's lease from then on, whoever else removes what it belongs to.
func (c *Client) HoldSnapshot(ctx context.Context, chain string) (bool, error) {
	if err := c.hold(ctx, chain, "snapshots/"+Snapshotter); err != nil {
		return false, err
	}
	return c.HasSnapshot(ctx, chain)
}

// HoldContent keeps a blob, and all it refers to, under the call's lease.
func (c *Client) HoldContent(ctx context.Context, blob digest.Digest) error {
	return c.hold(ctx, blob.String(), "content")
}

func (c *Client) hold(ctx context.Context, id, kind string) error {
	lease, ok := ctx.Value(leaseKey{}).(string)
	if !ok {
		return nil
	}
	_, err := c.leases.AddResource(ctx, &leases.AddResourceRequest{ID: lease, Resource: &leases.Resource{ID: id, Type: kind}})
	return c.wrap(stages.None, "lease", err)
}

// Unpack makes the snapshot of one layer over its parent. It returns the digest of the layer's uncompressed bytes, and leaves nothing if
// that is not want.
func (c *Client) Unpack(ctx context.Context, layer ocispec.Descriptor, parent, chain string, want digest.Digest) error {
	key := "unpack-" + randomID()
	prepared, err := c.snapshots.Prepare(ctx, &snapshots.PrepareSnapshotRequest{Snapshotter: Snapshotter, Key: key, Parent: parent})
	if err != nil {
		return c.wrap(stages.None, chain, err)
	}
	committed := false
	defer func() {
		if !committed {
			c.RemoveSnapshot(context.WithoutCancel(ctx), key)
		}
	}()
	applied, err := c.diff.Apply(ctx, &diff.ApplyRequest{
		Diff:   &types.Descriptor{MediaType: layer.MediaType, Digest: layer.Digest.String(), Size: layer.Size},
		Mounts: prepared.Mounts,
	})
	if err = c.wrap(stages.None, layer.Digest.String(), err); err != nil {
		if stages.KindOf(err) == stages.Internal { // containerd has no code for "not a tar"
			err = &stages.Error{Kind: stages.Invalid, Thing: "layer", Err: err}
		}
		return err
	}
	if got := applied.Applied.GetDigest(); got != want.String() {
		return &stages.Error{Kind: stages.Invalid, Thing: layer.Digest.String(), Err: errDigest{want.String(), got}, Hint: "the image is damaged or was tampered with"}
	}
	_, err = c.snapshots.Commit(ctx, &snapshots.CommitSnapshotRequest{Snapshotter: Snapshotter, Name: chain, Key: key})
	err = c.wrap(stages.None, chain, err)
	committed = err == nil
	return ignore(stages.Conflict, err) // another load of the same layer was faster
}

type errDigest struct{ want, got string }

func (e errDigest) Error() string {
	return "layer: the config names diff id " + e.want + ", the content is " + e.got
}

func fromProto(img *images.Image) Image {
	t := img.GetTarget()
	return Image{Name: img.GetName(), Created: img.GetCreatedAt().AsTime(), Target: ocispec.Descriptor{
		MediaType: t.GetMediaType(), Digest: digest.Digest(t.GetDigest()), Size: t.GetSize(), Annotations: t.GetAnnotations(),
	}}
}

func randomID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
