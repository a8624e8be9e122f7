package image

import (
	"context"
	"maps"

	"hull/stages"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// leftover is what may have no image any more: blobs, and unpacked layers by their chain ids, the topmost last.
type leftover struct {
	blobs  []digest.Digest
	chains []string
}

// of is everything that one image is made of.
func (s *Images) of(ctx context.Context, img *Image) (l leftover, err error) {
	l.chains = chains(img)
	l.blobs, err = s.blobs(ctx, img.Target)
	return l, err
}

// sweep removes what no name refers to and no load relies on. It is called with s.changing held, so that no load begins to rely on
// anything meanwhile. If it cannot be told what the other images need, nothing is removed.
func (s *Images) sweep(ctx context.Context, l leftover) error {
	names, err := s.ctd.Images(ctx)
	if err != nil {
		return err
	}
	needed, unpacked := map[digest.Digest]bool{}, map[string]bool{}
	for load := range s.loads {
		maps.Copy(needed, load.blobs)
		maps.Copy(unpacked, load.chains)
	}
	for _, name := range names {
		blobs, err := s.blobs(ctx, name.Target)
		if err != nil {
			return err
		}
		for _, b := range blobs {
			needed[b] = true
		}
		img, err := s.read(ctx, name.Target)
		if err != nil {
			return err
		}
		for _, c := range chains(img) {
			unpacked[c] = true
		}
	}
	for i := len(l.chains) - 1; i >= 0; i-- { // from the top: a layer that something stands on cannot be removed
		if unpacked[l.chains[i]] {
			break // and all below it are needed as well
		}
		if err := s.ctd.RemoveSnapshot(ctx, l.chains[i]); err != nil {
			break // a container's own layer stands on it
		}
	}
	store := s.ctd.Content()
	for _, b := range l.blobs {
		if needed[b] {
			continue
		}
		if err := store.Delete(ctx, b); err != nil && !errdefs.IsNotFound(err) {
			return &stages.Error{Thing: b.String(), Err: err}
		}
	}
	return nil
}

// blobs lists the target and all it refers to that is here; parts for other machines may never have been.
func (s *Images) blobs(ctx context.Context, target ocispec.Descriptor) (all []digest.Digest, err error) {
	store := s.ctd.Content()
	err = images.Walk(ctx, images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		if _, err := store.Info(ctx, desc.Digest); errdefs.IsNotFound(err) {
			return nil, images.ErrSkipDesc
		} else if err != nil {
			return nil, err
		}
		all = append(all, desc.Digest)
		return images.Children(ctx, store, desc)
	}), target)
	return all, err
}

// chains lists the keys of an image's unpacked layers, the topmost last.
func chains(img *Image) (keys []string) {
	for i := range img.Config.RootFS.DiffIDs {
		keys = append(keys, identity.ChainID(img.Config.RootFS.DiffIDs[:i+1]).String())
	}
	return keys
}
