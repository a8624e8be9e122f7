package server

import (
	"context"

	api "github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"hull/containerd/image"
	"hull/containerd/snapshot"
	"hull/stages"
)

// diff is the service of the same name: it unpacks layers. Making one from two trees (Diff) is refused by name.
type diff struct {
	api.UnimplementedDiffServer
	*server
}

func (s *diff) Apply(ctx context.Context, req *api.ApplyRequest) (*api.ApplyResponse, error) {
	if _, err := s.namespaces.of(ctx); err != nil {
		return nil, err
	}
	d, err := digest.Parse(req.GetDiff().GetDigest())
	if err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "layer", Err: err}
	}
	mounts := make([]snapshot.Mount, len(req.Mounts))
	for i, m := range req.Mounts {
		mounts[i] = snapshot.Mount{Type: m.GetType(), Source: m.GetSource(), Options: m.GetOptions()}
	}
	desc := ocispec.Descriptor{MediaType: req.Diff.MediaType, Digest: d, Size: req.Diff.Size}
	applied, err := image.Apply(ctx, s.content, desc, mounts, s.snapshots.Root())
	if err != nil {
		return nil, err
	}
	return &api.ApplyResponse{Applied: &types.Descriptor{MediaType: applied.MediaType, Digest: applied.Digest.String(), Size: applied.Size}}, nil
}

func (s *diff) Diff(context.Context, *api.DiffRequest) (*api.DiffResponse, error) {
	return nil, refused("making a layer from two snapshots (Diff)")
}
