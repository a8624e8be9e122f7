package image

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	defer func() { done(err != nil) }()

	plain, err := compression.DecompressStream(r)
	if err != nil {
		return invalid("", fmt.Errorf("archive: %w", err))
	}
	defer plain.Close()
	store := s.newIngest()
	defer func() {
		quiet := context.WithoutCancel(ctx) // a client that left must not keep us from cleaning up
		store.abort(quiet)
		s.changing.Lock()
		defer s.changing.Unlock()
		delete(s.loads, store)
		// After a success the archive's own index is left over: the names point to the manifests.
		if failed := s.sweep(quiet, store.made); failed != nil {
			slog.Warn("what a load left was not removed", "error", failed.Error())
		}
	}()
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
		target := n.img.Target
		target.Annotations = nil
		if err := s.ctd.PutImage(ctx, n.name, target); err != nil {
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
	parent := ""
	for i, layer := range img.Layers {
		chain := identity.ChainID(img.Config.RootFS.DiffIDs[:i+1]).String()
		store.refer("", chain)
		have, err := s.ctd.HasSnapshot(ctx, chain)
		switch {
		case err != nil:
		case have: // by the config's word: another archive brought that layer, this one may hold something else
			err = verify(ctx, store, layer, img.Config.RootFS.DiffIDs[i])
		default:
			err = s.ctd.Unpack(ctx, layer, parent, chain, img.Config.RootFS.DiffIDs[i])
			store.made.chains = append(store.made.chains, chain)
		}
		if err != nil {
			return nil, err
		}
		parent = chain
	}
	return img, s.keepLayers(ctx, img)
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

// An ingest is a content store that knows what one load has begun (under names of its own: two loads at once do not wait for each other),
// what it has made, and what it relies on.
type ingest struct {
	content.Store
	images *Images
	prefix string
	refs   map[string]bool
	made   leftover // what was not there before

	blobs  map[digest.Digest]bool // relied on, made or found; guarded by images.changing, as chains
	chains map[string]bool
}

func (s *Images) newIngest() *ingest {
	i := &ingest{
		Store: s.ctd.Content(), images: s, prefix: "load-" + rand.Text() + "-", refs: map[string]bool{},
		blobs: map[digest.Digest]bool{}, chains: map[string]bool{},
	}
	s.changing.Lock()
	s.loads[i] = true
	s.changing.Unlock()
	return i
}

// refer notes, before it is looked for, what must not be swept away from now on.
func (i *ingest) refer(blob digest.Digest, chain string) {
	i.images.changing.Lock()
	i.blobs[blob], i.chains[chain] = true, true
	i.images.changing.Unlock()
}

// Writer implements content.Ingester.
func (i *ingest) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var o content.WriterOpts
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	ref := i.prefix + o.Ref
	i.refs[ref] = true
	i.refer(o.Desc.Digest, "")
	w, err := i.Store.Writer(ctx, content.WithRef(ref), content.WithDescriptor(o.Desc))
	if err != nil {
		return nil, err
	}
	return &blobWriter{w, i}, nil
}

// A blobWriter writes one blob of an ingest.
type blobWriter struct {
	content.Writer
	ingest *ingest
}

// Commit implements content.Writer. A blob that was there already is not one that this load made.
func (w *blobWriter) Commit(ctx context.Context, size int64, expected digest.Digest, opts ...content.Opt) error {
	blob := w.Writer.Digest()
	w.ingest.refer(blob, "")
	err := w.Writer.Commit(ctx, size, expected, opts...)
	if err == nil {
		w.ingest.made.blobs = append(w.ingest.made.blobs, blob)
	}
	return err
}

// abort removes what was begun and not committed.
func (i *ingest) abort(ctx context.Context) {
	for ref := range i.refs {
		i.Store.Abort(ctx, ref) // not found: it was committed
	}
}
