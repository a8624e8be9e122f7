// Package image is the daemon's view of images: names resolved to one exact content, and loading, listing, tagging and removing them.
// All of it is calls to containerd; the daemon keeps no image store of its own.
//
// It is called by daemon/engine. It never reads a container's or an image's files by path: layers are unpacked behind containerd's API.
package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"hull/daemon/containerd"
	"hull/stages"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// untagged is the name under which containerd keeps an image that has none: without a name it would be collected as garbage.
const untagged = "hull-untagged@"

const maxConfig = 4 << 20 // bytes of a config; the real ones have a few thousand

// An Image is one exact content for this machine's platform.
type Image struct {
	ID     digest.Digest // the config's digest, as docker shows it
	Target ocispec.Descriptor
	Config dockerspec.DockerOCIImage
	Layers []ocispec.Descriptor
	Size   int64
	Names  []string // full names: docker.io/library/busybox:latest; filled in by List and Find
	Added  time.Time
}

// ChainID is the key of the snapshot that holds all layers.
func (i *Image) ChainID() string { return identity.ChainID(i.Config.RootFS.DiffIDs).String() }

// Familiar lists the names as users write them: busybox:latest.
func (i *Image) Familiar() (tags []string) {
	for _, n := range i.Names {
		if named, err := reference.ParseNormalizedNamed(n); err == nil && !isUntagged(n) {
			if _, digested := named.(reference.Digested); !digested {
				tags = append(tags, reference.FamiliarString(named))
			}
		}
	}
	sort.Strings(tags)
	return tags
}

// Digests lists the repositories that know the image, each with the digest to ask it for: busybox@sha256:….
func (i *Image) Digests() (refs []string) {
	for _, n := range i.Names {
		if named, err := reference.ParseNormalizedNamed(n); err == nil && !isUntagged(n) {
			ref := reference.FamiliarName(named) + "@" + i.Target.Digest.String()
			if !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	sort.Strings(refs)
	return refs
}

// TagsOf lists the tagged names of one repository as users write them.
func (s *Images) TagsOf(ctx context.Context, repository string) (refs []string, err error) {
	want, err := reference.ParseNormalizedNamed(repository)
	if err != nil || !reference.IsNameOnly(want) {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: repository, Err: errors.New("invalid repository name")}
	}
	names, err := s.ctd.Images(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		named, err := reference.ParseNormalizedNamed(n.Name)
		if _, tagged := named.(reference.Tagged); err == nil && tagged && named.Name() == want.Name() {
			refs = append(refs, reference.FamiliarString(named))
		}
	}
	if len(refs) == 0 {
		return nil, &stages.Error{Kind: stages.NotFound, Err: fmt.Errorf("An image does not exist locally with the tag: %s", repository)} //nolint:staticcheck // docker's words
	}
	return refs, nil
}

func isUntagged(name string) bool { return strings.HasPrefix(name, untagged) }

// Images resolves and changes the images of one containerd.
type Images struct {
	ctd *containerd.Client

	changing sync.Mutex       // guards loads, and is held by a sweep: what one needs, another must not take away
	loads    map[*ingest]bool // under way

	pulls pulls

	mu    sync.Mutex
	known map[digest.Digest]*Image // by target: a digest's content never changes
}

const maxKnown = 128 // images whose manifest and config are kept in memory

// New makes the view.
func New(ctd *containerd.Client) *Images {
	return &Images{ctd: ctd, known: map[digest.Digest]*Image{}, loads: map[*ingest]bool{}}
}

var hexID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{4,64}$`)

// Find resolves what a user writes: a name with or without tag or digest, an image's id, or a unique beginning of one.
func (s *Images) Find(ctx context.Context, ref string) (*Image, error) {
	if !hexID.MatchString(ref) || !strings.HasPrefix(ref, "sha256:") {
		name, err := Normalize(ref)
		if err != nil {
			return nil, err
		}
		found, err := s.ctd.Image(ctx, name)
		if err == nil {
			img, err := s.read(ctx, found.Target)
			if err != nil {
				return nil, &stages.Error{Kind: stages.KindOf(err), Thing: ref, Err: err}
			}
			img.Names, img.Added = []string{found.Name}, found.Created
			return img, nil
		}
		if stages.KindOf(err) != stages.NotFound {
			return nil, err
		}
	}
	if hexID.MatchString(ref) {
		if img, err := s.byID(ctx, strings.TrimPrefix(ref, "sha256:")); img != nil || err != nil {
			return img, err
		}
	}
	return nil, notFound(ref)
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

// List is every image that can be read, newest first. A name whose content is missing or for another platform is skipped.
func (s *Images) List(ctx context.Context) ([]*Image, error) {
	names, err := s.ctd.Images(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[digest.Digest]*Image{}
	var all []*Image
	for _, n := range names {
		img, err := s.read(ctx, n.Target)
		if err != nil {
			if kind := stages.KindOf(err); kind == stages.Unavailable {
				return nil, err
			}
			continue
		}
		if first, ok := byID[img.ID]; ok {
			first.Names = append(first.Names, n.Name)
			continue
		}
		img.Names, img.Added = []string{n.Name}, n.Created
		byID[img.ID] = img
		all = append(all, img)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Added.After(all[j].Added) })
	return all, nil
}

// read fetches the manifest and the config behind a target, and hands out a copy of its own.
func (s *Images) read(ctx context.Context, target ocispec.Descriptor) (*Image, error) {
	s.mu.Lock()
	img, ok := s.known[target.Digest]
	s.mu.Unlock()
	if ok {
		c := *img
		return &c, nil
	}
	store := s.ctd.Content()
	manifest, err := images.Manifest(ctx, store, target, platforms.Default())
	if err != nil {
		return nil, &stages.Error{Kind: stages.NotFound, Err: fmt.Errorf("manifest: %w", err), Hint: "is the image for " + platforms.DefaultString() + "?"}
	}
	if manifest.Config.Size > maxConfig {
		return nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("config of %d bytes: more than %d", manifest.Config.Size, maxConfig)}
	}
	blob, err := content.ReadBlob(ctx, store, manifest.Config)
	if err != nil {
		return nil, &stages.Error{Kind: stages.NotFound, Err: fmt.Errorf("config: %w", err)}
	}
	img = &Image{ID: manifest.Config.Digest, Target: target, Layers: manifest.Layers, Size: manifest.Config.Size + target.Size}
	if err := json.Unmarshal(blob, &img.Config); err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("config: %w", err)}
	}
	if len(img.Config.RootFS.DiffIDs) != len(img.Layers) {
		return nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("the config names %d layers, the manifest %d", len(img.Config.RootFS.DiffIDs), len(img.Layers))}
	}
	for _, id := range img.Config.RootFS.DiffIDs {
		if err := id.Validate(); err != nil {
			return nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("diff id %q: %w", id, err)}
		}
	}
	for _, l := range img.Layers {
		img.Size += l.Size
	}
	s.mu.Lock()
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[target.Digest] = img
	s.mu.Unlock()
	c := *img
	return &c, nil
}

// Normalize is the full name of what a user wrote: docker.io/library/NAME:latest for NAME.
func Normalize(ref string) (string, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return "", &stages.Error{Kind: stages.Invalid, Thing: ref, Err: fmt.Errorf("invalid reference format: %w", err)}
	}
	return named.String(), nil
}
