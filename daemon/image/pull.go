package image

import (
	"context"
	"errors"
	"fmt"

	"hull/daemon/distribution"
	"hull/stages"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

const (
	maxFetches  = 3       // layers fetched at once: docker's number
	maxManifest = 4 << 20 // bytes of a manifest or an index; distribution-spec asks registries to take at least this
)

// Pull fetches what the reference names at its registry, unpacks it and gives it its name, last. It tells the steps as docker's daemon does.
//
// A pull that breaks off names nothing and runs nothing, but what it had fetched stays under a lease for a while: the next pull of the same
// reference goes on where it stopped, within a layer as well. A pull that fails for good (a wrong digest, no such platform) leaves nothing.
func (s *Images) Pull(ctx context.Context, ref string, login distribution.Login, say Say) (*Image, error) {
	name, err := Normalize(ref)
	if err != nil {
		return nil, err
	}
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return nil, err
	}
	unlock, err := s.pulls.lock(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	remote := distribution.New(login, nil)
	_, target, err := remote.Resolve(ctx, name)
	if err != nil {
		return nil, distribution.Explain("pull", named, err)
	}
	fetcher, err := remote.Fetcher(ctx, name)
	if err != nil {
		return nil, distribution.Explain("pull", named, err)
	}
	ctx, done, err := s.ctd.WithPullLease(ctx, name)
	if err != nil {
		return nil, err
	}
	goOn := false
	defer func() { done(goOn) }()
	say(jsonstream.Message{ID: tagOf(named), Status: "Pulling from " + reference.Path(named)})
	p := &pull{images: s, named: named, fetcher: fetcher, store: s.ctd.Content(), say: say}
	img, err := p.fetch(ctx, target)
	if err != nil {
		err = distribution.Explain("pull", named, err)
		goOn = ctx.Err() != nil || stages.KindOf(err) == stages.Unavailable
		return nil, err
	}
	before, err := s.name(ctx, name, target)
	if err != nil {
		return nil, err
	}
	img.Names = []string{name}
	say(jsonstream.Message{Status: "Digest: " + target.Digest.String()})
	if before == target.Digest {
		say(jsonstream.Message{Status: "Status: Image is up to date for " + reference.FamiliarString(named)})
	} else {
		say(jsonstream.Message{Status: "Status: Downloaded newer image for " + reference.FamiliarString(named)})
	}
	return img, nil
}

// tagOf is a reference's tag or digest.
func tagOf(named reference.Named) string {
	switch r := named.(type) {
	case reference.Digested:
		return r.Digest().String()
	case reference.Tagged:
		return r.Tag()
	}
	return ""
}

// name points the name to the target, and returns what it pointed to before. An image that loses its only name this way is kept without one.
func (s *Images) name(ctx context.Context, name string, target ocispec.Descriptor) (before digest.Digest, err error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	target.Annotations = nil
	old, err := s.ctd.Image(ctx, name)
	switch {
	case err == nil && old.Target.Digest != target.Digest:
		before = old.Target.Digest
		if err := s.ctd.PutImage(ctx, untagged+before.String(), old.Target); err != nil {
			return before, err
		}
	case err == nil:
		return target.Digest, nil
	case stages.KindOf(err) != stages.NotFound:
		return "", err
	}
	if err := s.ctd.PutImage(ctx, name, target); err != nil {
		return before, err
	}
	return before, s.dropUntagged(ctx, target.Digest, before)
}

// dropUntagged removes the placeholder names of targets that have a real one.
func (s *Images) dropUntagged(ctx context.Context, targets ...digest.Digest) error {
	names, err := s.ctd.Images(ctx)
	if err != nil {
		return err
	}
	for _, target := range targets {
		placeholder, real := false, false
		for _, n := range names {
			if n.Target.Digest == target {
				placeholder, real = placeholder || isUntagged(n.Name), real || !isUntagged(n.Name)
			}
		}
		if placeholder && real {
			if err := s.ctd.DeleteImage(ctx, untagged+target.String(), false); err != nil && stages.KindOf(err) != stages.NotFound {
				return err
			}
		}
	}
	return nil
}

// A pull is one under way.
type pull struct {
	images  *Images
	named   reference.Named
	fetcher remotes.Fetcher
	store   content.Store
	say     Say
}

// fetch brings in everything of the target that this machine's platform needs.
func (p *pull) fetch(ctx context.Context, target ocispec.Descriptor) (*Image, error) {
	if err := p.documents(ctx, target); err != nil {
		return nil, err
	}
	img, err := p.images.read(ctx, target)
	if err != nil {
		return nil, err
	}
	return img, p.layers(ctx, img)
}

// documents fetches the target, the manifest for this machine if it is an index, and the config. Each is labelled with what it refers to,
// so that it is kept as long as the image.
func (p *pull) documents(ctx context.Context, target ocispec.Descriptor) error {
	source, err := docker.AppendDistributionSourceLabel(p.store, p.named.String())
	if err != nil {
		return err
	}
	fetch := images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		switch {
		case images.IsLayerType(desc.MediaType):
			return nil, images.ErrSkipDesc // they come later, together
		case desc.MediaType == images.MediaTypeDockerSchema1Manifest:
			return nil, &stages.Error{Kind: stages.Unsupported, Thing: desc.Digest.String(), Err: errors.New("a manifest of docker's schema 1"), Hint: "push the image again with a newer docker"}
		case desc.Size > maxManifest:
			return nil, &stages.Error{Kind: stages.Invalid, Thing: desc.Digest.String(), Err: fmt.Errorf("%s of %d bytes: more than %d", desc.MediaType, desc.Size, maxManifest)}
		}
		return nil, exists(remotes.Fetch(ctx, p.store, p.fetcher, desc))
	})
	children := images.FilterPlatforms(images.ChildrenHandler(p.store), platforms.Default())
	children = images.LimitManifests(children, platforms.Default(), 1)
	children = images.SetChildrenMappedLabels(p.store, children, images.ChildGCLabels)
	err = images.Walk(ctx, images.Handlers(fetch, source, children), target)
	if errdefs.IsNotFound(err) && images.IsIndexType(target.MediaType) {
		return &stages.Error{Kind: stages.NotFound, Err: fmt.Errorf("no matching manifest for %s in the manifest list entries", platforms.DefaultString())}
	}
	return err
}

// layers fetches the layers, some at once, and unpacks each as soon as it and the one below it are there.
func (p *pull) layers(ctx context.Context, img *Image) error {
	group, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, maxFetches)
	for i, layer := range img.Layers {
		have, err := p.complete(ctx, img, i)
		if err != nil {
			return err
		}
		if have {
			p.say.status(short(layer.Digest), "Already exists")
		} else {
			p.say.status(short(layer.Digest), "Pulling fs layer")
		}
	}
	fetched := make([]chan struct{}, len(img.Layers))
	for i, layer := range img.Layers {
		fetched[i] = make(chan struct{})
		group.Go(func() error {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			defer func() { <-slots }()
			if err := p.layer(ctx, layer); err != nil {
				return err
			}
			close(fetched[i])
			return nil
		})
	}
	group.Go(func() error {
		for i := range img.Layers {
			select {
			case <-fetched[i]:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := p.unpack(ctx, img, i); err != nil {
				return err
			}
		}
		return p.images.keepLayers(ctx, img)
	})
	return group.Wait()
}

// complete reports whether a layer is here and unpacked.
func (p *pull) complete(ctx context.Context, img *Image, i int) (bool, error) {
	if _, err := p.store.Info(ctx, img.Layers[i].Digest); err != nil {
		return false, ignoreNotFound(err)
	}
	return p.images.ctd.HasSnapshot(ctx, identity.ChainID(img.Config.RootFS.DiffIDs[:i+1]).String())
}

func (p *pull) layer(ctx context.Context, layer ocispec.Descriptor) error {
	if _, err := p.store.Info(ctx, layer.Digest); err == nil {
		// It is here; asking for a writer puts it under this pull's lease as well.
		if w, err := p.store.Writer(ctx, content.WithRef(remotes.MakeRefKey(ctx, layer)), content.WithDescriptor(layer)); err == nil {
			w.Close()
		} else {
			return exists(err)
		}
	} else if err := ignoreNotFound(err); err != nil {
		return err
	}
	id := short(layer.Digest)
	m := &meter{say: p.say, id: id, status: "Downloading", total: layer.Size}
	if err := exists(remotes.Fetch(ctx, &metered{p.store, m}, p.fetcher, layer)); err != nil {
		return err
	}
	p.say.status(id, "Verifying Checksum") // the store has: it takes nothing under a digest that is not its own
	p.say.status(id, "Download complete")
	return nil
}

func (p *pull) unpack(ctx context.Context, img *Image, i int) error {
	layer := img.Layers[i]
	id := short(layer.Digest)
	p.say(jsonstream.Message{ID: id, Status: "Extracting", Progress: &jsonstream.Progress{Current: layer.Size, Total: layer.Size}})
	made, err := p.images.unpackLayer(ctx, p.store, img, i)
	if err != nil || !made {
		return err
	}
	p.say.status(id, "Pull complete")
	return nil
}

// metered is a store whose writers tell how far they are.
type metered struct {
	content.Ingester
	meter *meter
}

func (m *metered) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	w, err := m.Ingester.Writer(ctx, opts...)
	if err != nil {
		return nil, err
	}
	st, err := w.Status()
	if err != nil {
		w.Close()
		return nil, err
	}
	return &meteredWriter{Writer: w, meter: m.meter, done: st.Offset}, nil
}

type meteredWriter struct {
	content.Writer
	meter *meter
	done  int64
}

func (w *meteredWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.done += int64(n)
	w.meter.at(w.done)
	return n, err
}

// exists takes "it is there already" for success.
func exists(err error) error {
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func ignoreNotFound(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
