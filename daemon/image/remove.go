package image

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"hull/stages"

	"github.com/containerd/containerd/v2/core/content"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Removed says what became of one request to remove: names that are gone, and the image's id if the image itself went with the last.
type Removed struct {
	Untagged []string
	Deleted  string
}

// Remove takes away a name, or by its id an image with all its names. users are the ids of containers made from it; without force they keep it.
func (s *Images) Remove(ctx context.Context, ref string, force bool, users func(id string) []string) (Removed, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	img, err := s.Find(ctx, ref)
	if err != nil {
		return Removed{}, err
	}
	byID := hexID.MatchString(ref) && strings.HasPrefix(img.ID.Encoded(), strings.TrimPrefix(ref, "sha256:"))
	all, err := s.byID(ctx, img.ID.Encoded())
	if err != nil {
		return Removed{}, err
	}
	names := img.Names
	if byID {
		names = all.Names
	}
	if byID && len(names) > 1 && !force {
		return Removed{}, conflict("unable to delete %s (must be forced) - image is referenced in multiple repositories", img.ID.Encoded()[:12])
	}
	last := len(names) == len(all.Names)
	if ids := users(img.ID.String()); last && len(ids) > 0 && !force {
		if byID {
			return Removed{}, conflict("unable to delete %s (must be forced) - image is being used by container %s", img.ID.Encoded()[:12], ids[0][:12])
		}
		return Removed{}, conflict("unable to remove repository reference %q (must force) - container %s is using its referenced image %s", ref, ids[0][:12], img.ID.Encoded()[:12])
	}
	var gone Removed
	parts, err := s.of(ctx, img)
	if err != nil {
		return gone, err
	}
	for _, name := range names {
		if err := s.ctd.DeleteImage(ctx, name, true); err != nil {
			return gone, err
		}
		if familiar := (&Image{Names: []string{name}}).Familiar(); len(familiar) > 0 {
			gone.Untagged = append(gone.Untagged, familiar...)
		}
	}
	if last {
		gone.Deleted = img.ID.String()
		s.forget(img)
		err = s.sweep(context.WithoutCancel(ctx), parts)
	}
	return gone, err
}

// Tag gives an image a further name.
func (s *Images) Tag(ctx context.Context, ref, name string) error {
	img, err := s.Find(ctx, ref)
	if err != nil {
		return err
	}
	full, err := Normalize(name)
	if err != nil {
		return err
	}
	return s.ctd.PutImage(ctx, full, img.Target)
}

func (s *Images) forget(img *Image) {
	s.mu.Lock()
	delete(s.known, img.Target.Digest)
	s.mu.Unlock()
}

func conflict(format string, args ...any) error {
	return &stages.Error{Kind: stages.Conflict, Err: fmt.Errorf("conflict: "+format, args...)}
}

func readJSON(ctx context.Context, store content.Provider, desc ocispec.Descriptor, into any) error {
	blob, err := content.ReadBlob(ctx, store, desc)
	if err != nil {
		return err
	}
	return json.Unmarshal(blob, into)
}
