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
	"maps"
	"net"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"hull/daemon/containerd"
	"hull/stages"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/labels"
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

	at     map[string]digest.Digest // names with another target of the same config
	remote map[string]bool          // REPOSITORY@DIGEST that a registry is known to have (see hostless)
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

// Digests lists the repositories of the image's names whose registry is known to have it (it came from there, or was sent there), each with
// the digest to ask for: busybox@sha256:….
func (i *Image) Digests() (refs []string) {
	for _, n := range i.Names {
		if named, err := reference.ParseNormalizedNamed(n); err == nil && !isUntagged(n) {
			target, other := i.at[n]
			if !other {
				target = i.Target.Digest
			}
			ref := reference.FamiliarName(named) + "@" + target.String()
			if i.remote[hostless(named)+"@"+target.String()] && !slices.Contains(refs, ref) {
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
		return nil, &stages.Error{Kind: stages.NotFound, Err: errors.New("An image does not exist locally with the tag: " + repository)} // docker's words
	}
	return refs, nil
}

func isUntagged(name string) bool { return strings.HasPrefix(name, untagged) }

// Images resolves and changes the images of one containerd.
type Images struct {
	ctd *containerd.Client

	changing sync.Mutex // held while names move: what one request sees of them, another must not change
	pulls    pulls

	mu    sync.Mutex
	known map[digest.Digest]*Image // by target: a digest's content never changes
	sizes map[digest.Digest]int64  // by target: what DiskSize has found
}

const maxKnown = 128 // images whose manifest and config are kept in memory

// New makes the view.
func New(ctd *containerd.Client) *Images {
	return &Images{ctd: ctd, known: map[digest.Digest]*Image{}, sizes: map[digest.Digest]int64{}}
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
		if err := s.knownAt(ctx, img); err != nil {
			return nil, err
		}
		if first, ok := byID[img.ID]; ok {
			maps.Copy(first.remote, img.remote)
			if first.Names = append(first.Names, n.Name); n.Target.Digest != first.Target.Digest {
				if first.at == nil {
					first.at = map[string]digest.Digest{}
				}
				first.at[n.Name] = n.Target.Digest
			}
			continue
		}
		img.Names, img.Added = []string{n.Name}, n.Created
		byID[img.ID] = img
		all = append(all, img)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Added.After(all[j].Added) })
	return all, nil
}

// hostless is a repository's name without its registry's port: the label that remembers registries has none.
func hostless(named reference.Named) string {
	host, _, err := net.SplitHostPort(reference.Domain(named))
	if err != nil {
		host = reference.Domain(named)
	}
	return host + "/" + reference.Path(named)
}

// knownAt reads which registries have the target, from the labels that pull and push leave at it
// (containerd.io/distribution.source.HOST=REPOSITORY,…: containerd's own).
func (s *Images) knownAt(ctx context.Context, img *Image) error {
	img.remote = map[string]bool{}
	info, err := s.ctd.Content().Info(ctx, img.Target.Digest)
	if err != nil {
		return ignoreNotFound(err)
	}
	for key, value := range info.Labels {
		host, ok := strings.CutPrefix(key, labels.LabelDistributionSource+".")
		if !ok {
			continue
		}
		for _, repository := range strings.Split(value, ",") {
			img.remote[host+"/"+repository+"@"+img.Target.Digest.String()] = true
		}
	}
	return nil
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
