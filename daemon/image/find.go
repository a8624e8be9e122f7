package image

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"hull/stages"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

var hexID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{4,64}$`)

// isID reports whether a user's word for an image is its id, or a beginning of it.
func isID(ref string, id digest.Digest) bool {
	return hexID.MatchString(ref) && strings.HasPrefix(id.Encoded(), strings.TrimPrefix(ref, "sha256:"))
}

// Find resolves what a user writes: a name with or without tag or digest, an image's id, or a unique beginning of one. The image has the
// names that were meant: one, or with a digest all those in the repository that point to it.
func (s *Images) Find(ctx context.Context, ref string) (*Image, error) {
	if !strings.HasPrefix(ref, "sha256:") {
		if img, err := s.byName(ctx, ref); img != nil || err != nil {
			return img, err
		}
	}
	if hexID.MatchString(ref) {
		if img, err := s.byID(ctx, strings.TrimPrefix(ref, "sha256:")); img != nil || err != nil {
			return img, err
		}
	}
	return nil, notFound(ref)
}

// byName is nil, nil if nothing has the name.
func (s *Images) byName(ctx context.Context, ref string) (*Image, error) {
	name, err := Normalize(ref)
	if err != nil {
		return nil, err
	}
	found, err := s.ctd.Image(ctx, name)
	if stages.KindOf(err) == stages.NotFound && err != nil {
		return s.byDigest(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	img, err := s.read(ctx, found.Target)
	if err != nil {
		return nil, &stages.Error{Kind: stages.KindOf(err), Thing: ref, Err: err}
	}
	img.Names, img.Added = []string{found.Name}, found.Created
	return img, nil
}

// byDigest finds REPOSITORY@DIGEST by the tags of the repository: the digest that one points to needs no record of its own.
func (s *Images) byDigest(ctx context.Context, name string) (*Image, error) {
	want, err := reference.ParseNormalizedNamed(name)
	digested, ok := want.(reference.Digested)
	if err != nil || !ok {
		return nil, err
	}
	names, err := s.ctd.Images(ctx)
	if err != nil {
		return nil, err
	}
	var img *Image
	for _, n := range names {
		named, err := reference.ParseNormalizedNamed(n.Name)
		if err != nil || isUntagged(n.Name) || named.Name() != want.Name() || n.Target.Digest != digested.Digest() {
			continue
		}
		if img == nil {
			if img, err = s.read(ctx, n.Target); err != nil {
				return nil, &stages.Error{Kind: stages.KindOf(err), Thing: name, Err: err}
			}
			img.Names, img.Added = nil, n.Created
		}
		img.Names = append(img.Names, n.Name)
	}
	return img, nil
}

// notFound has docker's words: its client pulls the image when it reads them.
func notFound(ref string) error {
	if named, err := reference.ParseDockerRef(ref); err == nil && !hexID.MatchString(ref) {
		ref = reference.FamiliarString(named)
	}
	return &stages.Error{Kind: stages.NotFound, Err: errors.New("No such image: " + ref)} //nolint:staticcheck // docker's words
}

func (s *Images) byID(ctx context.Context, prefix string) (*Image, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	var match *Image
	for _, img := range all {
		if strings.HasPrefix(img.ID.Encoded(), prefix) {
			if match != nil {
				return nil, &stages.Error{Kind: stages.Invalid, Thing: prefix, Err: errors.New("ambiguous image id: several images begin with it")}
			}
			match = img
		}
	}
	return match, nil
}

// whole is the image with all its names.
func (s *Images) whole(ctx context.Context, img *Image) (*Image, error) {
	all, err := s.byID(ctx, img.ID.Encoded())
	if err == nil && all == nil {
		err = notFound(img.ID.String())
	}
	return all, err
}

// Inspect is Find with all of the image's names.
func (s *Images) Inspect(ctx context.Context, ref string) (*Image, error) {
	found, err := s.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	return s.whole(ctx, found)
}

// TagName is the full name, with a tag, that a user gives an image: never a digest's.
func TagName(name string) (string, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", &stages.Error{Kind: stages.Invalid, Thing: name, Err: fmt.Errorf("invalid reference format: %w", err)}
	}
	if _, digested := named.(reference.Digested); digested {
		return "", &stages.Error{Kind: stages.Invalid, Err: errors.New("refusing to create a tag with a digest reference")}
	}
	return reference.TagNameOnly(named).String(), nil
}

// Normalize is the full name of what a user wrote: docker.io/library/NAME:latest for NAME.
func Normalize(ref string) (string, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return "", &stages.Error{Kind: stages.Invalid, Thing: ref, Err: fmt.Errorf("invalid reference format: %w", err)}
	}
	return named.String(), nil
}
