package image

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"hull/stages"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Load reads an archive (docker save's or an OCI layout, plain or compressed), unpacks its images and gives them their names. Each image
// is reported to loaded once it can be run. After an error nothing of the archive is left that was not there before.
//
// The archive is hostile input: names in it become keys of the content store and never paths; every blob is addressed by the digest
// of what was read, so that a wrong digest is a blob that is missing; each layer's uncompressed digest is held against the config.
func (s *Images) Load(ctx context.Context, r io.Reader, loaded func(*Image)) (err error) {
	ctx, done, err := s.ctd.WithLease(ctx)
	if err != nil {
		return err
	}
	defer func() { done(true) }() // also after a success: the archive's own index is left over, the names point to the manifests

	plain, err := compression.DecompressStream(r)
	if err != nil {
		return invalid("", fmt.Errorf("archive: %w", err))
	}
	defer plain.Close()
	store := &ingest{Store: s.ctd.Content(), prefix: "load-" + rand.Text() + "-"}
	top, err := archive.ImportIndex(ctx, store, plain)
	if err != nil {
		return archiveError(err)
	}
	var index ocispec.Index
	if index, err = readIndex(ctx, store, top); err != nil {
		return err
	}
	if len(index.Manifests) == 0 {
		return invalid("", errors.New("the archive holds no image"))
	}
	type named struct {
		name string
		img  *Image
	}
	var all []named
	for _, target := range index.Manifests {
		if target.Platform != nil && target.Platform.OS == "unknown" { // buildkit's attestations
			continue
		}
		img, err := s.unpack(ctx, store, target)
		if err != nil {
			return err
		}
		name, err := nameOf(target)
		if err != nil {
			return err
		}
		all = append(all, named{name, img})
	}
	for _, n := range all { // names come last: what has a name is whole
		if _, err := s.name(ctx, n.name, n.img.Target); err != nil {
			return err
		}
		n.img.Names = []string{n.name}
		loaded(n.img)
	}
	return nil
}

// unpack labels what the image refers to, so that it is kept, and makes the snapshot of each layer that has none yet.
func (s *Images) unpack(ctx context.Context, store *ingest, target ocispec.Descriptor) (*Image, error) {
	children := images.LimitManifests(images.FilterPlatforms(images.ChildrenHandler(store), platforms.Default()), platforms.Default(), 1)
	if err := images.Walk(ctx, images.SetChildrenMappedLabels(store, children, images.ChildGCLabels), target); err != nil {
		return nil, invalid(target.Digest.String(), err)
	}
	img, err := s.read(ctx, target)
	if err != nil {
		return nil, err
	}
	for i := range img.Layers {
		if _, err := s.unpackLayer(ctx, store, img, i); err != nil {
			return nil, err
		}
	}
	return img, s.keepLayers(ctx, img)
}

// unpackLayer makes the snapshot of a layer on the one below it. made is false if it was there: by the config's word, so what this archive
// or registry gave as that layer is held against it.
func (s *Images) unpackLayer(ctx context.Context, store content.Provider, img *Image, i int) (made bool, err error) {
	chains, layer := chains(img), img.Layers[i]
	have, err := s.ctd.HoldSnapshot(ctx, chains[i])
	switch {
	case err != nil:
		return false, err
	case have:
		return false, verify(ctx, store, layer, img.Config.RootFS.DiffIDs[i])
	case i == 0:
		return true, s.ctd.Unpack(ctx, layer, "", chains[0], img.Config.RootFS.DiffIDs[0])
	}
	return true, s.ctd.Unpack(ctx, layer, chains[i-1], chains[i], img.Config.RootFS.DiffIDs[i])
}

// chains lists the keys of an image's unpacked layers, the topmost last.
func chains(img *Image) (keys []string) {
	for i := range img.Config.RootFS.DiffIDs {
		keys = append(keys, identity.ChainID(img.Config.RootFS.DiffIDs[:i+1]).String())
	}
	return keys
}

// keepLayers makes the unpacked layers live as long as the config does.
func (s *Images) keepLayers(ctx context.Context, img *Image) error {
	if len(img.Layers) == 0 {
		return nil
	}
	label := "containerd.io/gc.ref.snapshot.overlayfs"
	info := content.Info{Digest: img.ID, Labels: map[string]string{label: img.ChainID()}}
	if _, err := s.ctd.Content().Update(ctx, info, "labels."+label); err != nil {
		return &stages.Error{Thing: img.ID.String(), Err: err}
	}
	return nil
}

// verify holds a layer that needs no unpacking against the digest that the config gives its uncompressed form.
func verify(ctx context.Context, store content.Provider, layer ocispec.Descriptor, diffID digest.Digest) error {
	if layer.Digest == diffID { // it is uncompressed, and the store has hashed it
		return nil
	}
	blob, err := store.ReaderAt(ctx, layer)
	if err != nil {
		return invalid(layer.Digest.String(), err)
	}
	defer blob.Close()
	plain, err := compression.DecompressStream(content.NewReader(blob))
	if err != nil {
		return invalid(layer.Digest.String(), err)
	}
	defer plain.Close()
	got, err := digest.FromReader(plain)
	if err != nil {
		return invalid(layer.Digest.String(), err)
	}
	if got != diffID {
		return &stages.Error{
			Kind: stages.Invalid, Thing: layer.Digest.String(), Err: fmt.Errorf("layer: the config names diff id %s, the content is %s", diffID, got),
			Hint: "the image is damaged or was tampered with",
		}
	}
	return nil
}

// nameOf is the full name that the archive gives an image, or the one for images without.
func nameOf(target ocispec.Descriptor) (string, error) {
	name := target.Annotations[images.AnnotationImageName]
	if name == "" {
		// The OCI name may be a bare tag ("latest"), which names no repository.
		if name = target.Annotations[ocispec.AnnotationRefName]; !strings.ContainsAny(name, ":/") {
			return untagged + target.Digest.String(), nil
		}
	}
	ref, err := reference.ParseDockerRef(name)
	if err != nil {
		return "", invalid(name, fmt.Errorf("image name in the archive: %w", err))
	}
	return ref.String(), nil
}

func readIndex(ctx context.Context, store content.Store, desc ocispec.Descriptor) (index ocispec.Index, err error) {
	if desc.Size > maxConfig {
		return index, invalid("index.json", fmt.Errorf("%d bytes: more than %d", desc.Size, maxConfig))
	}
	if err = readJSON(ctx, store, desc, &index); err != nil {
		return index, invalid("index.json", err)
	}
	return index, nil
}

func archiveError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "unexpected commit size") {
		return invalid("", fmt.Errorf("archive: %w: it is cut short", err))
	}
	return invalid("", fmt.Errorf("archive: %w", err))
}

func invalid(thing string, err error) error {
	return &stages.Error{Kind: stages.Invalid, Thing: thing, Err: err, Hint: "give an archive made by docker save or an OCI layout"}
}

// An ingest is the content store as one load writes to it: under names of its own, so that two loads of one archive do not wait for each
// other.
type ingest struct {
	content.Store
	prefix string
}

// Writer implements content.Ingester.
func (i *ingest) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var o content.WriterOpts
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	return i.Store.Writer(ctx, content.WithRef(i.prefix+o.Ref), content.WithDescriptor(o.Desc))
}
