package image

import (
	"context"
	"errors"
	"io"

	"hull/stages"

	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
)

// Save writes the images to one archive that is both: docker save's (manifest.json, which docker load reads) and an OCI image layout
// (index.json), over the same blobs. A repository without a tag means all its tags; an image that is named by its id goes without a name.
// begin is called before the first byte, when it is certain that all of them are there.
func (s *Images) Save(ctx context.Context, refs []string, w io.Writer, begin func()) error {
	ctx, done, err := s.ctd.WithLease(ctx)
	if err != nil {
		return err
	}
	defer done(false)
	options := []archive.ExportOpt{archive.WithPlatform(platforms.Default())}
	for _, ref := range refs {
		imgs, err := s.named(ctx, ref)
		if err != nil {
			return err
		}
		for _, img := range imgs {
			target, err := s.pushable(ctx, img) // every blob it refers to is in the archive
			if err != nil {
				return err
			}
			if err := s.ctd.HoldContent(ctx, target.Digest); err != nil {
				return err
			}
			options = append(options, archive.WithManifest(target, img.Names...))
		}
	}
	begin()
	return archive.Export(ctx, s.ctd.Content(), w, options...)
}

// named is the images that a word of save means, each with the names to save it under.
func (s *Images) named(ctx context.Context, ref string) ([]*Image, error) {
	if named, err := reference.ParseNormalizedNamed(ref); err == nil && reference.IsNameOnly(named) {
		tags, err := s.TagsOf(ctx, ref)
		if err == nil {
			var imgs []*Image
			for _, tag := range tags {
				img, err := s.Find(ctx, tag)
				if err != nil {
					return nil, err
				}
				imgs = append(imgs, img)
			}
			return imgs, nil
		}
		if stages.KindOf(err) != stages.NotFound {
			return nil, err
		}
	}
	img, err := s.Find(ctx, ref)
	if stages.KindOf(err) == stages.NotFound && err != nil {
		return nil, &stages.Error{Kind: stages.NotFound, Err: errors.New("No such image: " + ref)} //nolint:staticcheck // docker's words: as it was given
	}
	if err != nil {
		return nil, err
	}
	if isID(ref, img.ID) {
		img.Names = nil
	}
	return []*Image{img}, nil
}
