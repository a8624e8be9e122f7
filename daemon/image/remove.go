package image

import (
	"context"
	"encoding/json"
	"fmt"

	"hull/stages"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Removed says what became of one request to remove: names that are gone, and if the image itself went with the last, its id and the
// chain ids of its layers that nothing else needed, the topmost first.
type Removed struct {
	Untagged []string
	Deleted  []string
}

// A User is a container made from an image.
type User struct {
	ID      string
	Running bool
}

// Remove takes away a name, or by its id an image with all its names. What nothing refers to afterwards is collected by containerd before
// it returns. The users keep their image: a stopped one may lose it by force, a running one never does.
//
// docker's noprune has nothing to keep here: it is about the intermediate images of its old builder, and hull makes none.
func (s *Images) Remove(ctx context.Context, ref string, force bool, users func(id string) []User) (Removed, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	found, err := s.Find(ctx, ref)
	if err != nil {
		return Removed{}, err
	}
	img, err := s.whole(ctx, found)
	if err != nil {
		return Removed{}, err
	}
	byID := isID(ref, img.ID)
	names := found.Names
	if byID {
		names = img.Names
	}
	last := len(names) == len(img.Names)
	using := users(img.ID.String())
	switch {
	case byID:
		err = img.mayDelete(force, using)
	case last && len(using) > 0 && !force:
		err = conflict("unable to remove repository reference %q (must force) - container %s is using its referenced image %s", ref, using[0].ID[:12], short(img.ID))
	}
	if err != nil {
		return Removed{}, err
	}
	keep := last && running(using) != "" // a name was taken by force from a running container's image: the image stays, without one
	return s.untag(ctx, img, names, last, keep)
}

// mayDelete holds an image that is named by its id against its other names and its containers.
func (i *Image) mayDelete(force bool, using []User) error {
	run := running(using)
	switch {
	case len(i.Names) > 1 && !force:
		return conflict("unable to delete %s (must be forced) - image is referenced in multiple repositories", short(i.ID))
	case run != "":
		return conflict("unable to delete %s (cannot be forced) - image is being used by running container %s", short(i.ID), run[:12])
	case len(using) > 0 && !force:
		return conflict("unable to delete %s (must be forced) - image is being used by stopped container %s", short(i.ID), using[0].ID[:12])
	}
	return nil
}

// untag removes the names. The image goes with the last of them, unless it is to be kept.
func (s *Images) untag(ctx context.Context, img *Image, names []string, last, keep bool) (gone Removed, err error) {
	if keep {
		if err := s.ctd.PutImage(ctx, untagged+img.Target.Digest.String(), img.Target); err != nil {
			return gone, err
		}
	}
	for i, name := range names {
		if keep && isUntagged(name) {
			continue
		}
		if err := s.ctd.DeleteImage(ctx, name, last && i == len(names)-1); err != nil && stages.KindOf(err) != stages.NotFound {
			return gone, err
		}
		if named, err := reference.ParseNormalizedNamed(name); err == nil && !isUntagged(name) {
			gone.Untagged = append(gone.Untagged, reference.FamiliarString(named))
		}
	}
	if last && !keep {
		gone.Untagged = append(gone.Untagged, img.Digests()...)
	}
	if last && !keep {
		s.forget(img)
		gone.Deleted, err = s.gone(ctx, img)
	}
	return gone, err
}

// gone lists what of a deleted image has been collected.
func (s *Images) gone(ctx context.Context, img *Image) ([]string, error) {
	ids := []string{img.ID.String()}
	keys := chains(img)
	for i := len(keys) - 1; i >= 0; i-- {
		have, err := s.ctd.HasSnapshot(ctx, keys[i])
		if err != nil || have {
			return ids, err
		}
		ids = append(ids, keys[i])
	}
	return ids, nil
}

func running(users []User) string {
	for _, u := range users {
		if u.Running {
			return u.ID
		}
	}
	return ""
}

// Tag gives an image a further name.
func (s *Images) Tag(ctx context.Context, ref, name string) error {
	img, err := s.Find(ctx, ref)
	if err != nil {
		return err
	}
	full, err := TagName(name)
	if err != nil {
		return err
	}
	_, err = s.name(ctx, full, img.Target)
	return err
}

func (s *Images) forget(img *Image) {
	s.mu.Lock()
	delete(s.known, img.Target.Digest)
	delete(s.sizes, img.Target.Digest)
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
