package image

import (
	"context"
	"encoding/json"
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
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"
)

const maxUploads = 5 // docker's number

// Push sends the image under the name (with its tag) to the name's registry: layers first, then the config, then what refers to them, so
// that a registry never shows an image whose parts it lacks.
func (s *Images) Push(ctx context.Context, ref string, login distribution.Login, say Say) error {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return &stages.Error{Kind: stages.Invalid, Thing: ref, Err: fmt.Errorf("invalid reference format: %w", err)}
	}
	if _, ok := named.(reference.Digested); ok {
		return &stages.Error{Kind: stages.Invalid, Err: errors.New("cannot push a digest reference")}
	}
	img, err := s.Find(ctx, named.String())
	if stages.KindOf(err) == stages.NotFound && err != nil {
		return &stages.Error{Kind: stages.NotFound, Err: errors.New("An image does not exist locally with the tag: " + reference.FamiliarName(named))} // docker's words
	}
	if err != nil {
		return err
	}
	ctx, done, err := s.ctd.WithLease(ctx) // a name that is removed meanwhile takes nothing away from us
	if err != nil {
		return err
	}
	defer done(false)
	target, err := s.pushable(ctx, img)
	if err != nil {
		return err
	}
	if err := s.ctd.HoldContent(ctx, target.Digest); err != nil {
		return err
	}
	say(jsonstream.Message{Status: fmt.Sprintf("The push refers to repository [%s]", named.Name())})
	tracker := docker.NewInMemoryTracker()
	pusher, err := distribution.New(login, tracker).Pusher(ctx, named.String()+"@"+target.Digest.String())
	if err != nil {
		return distribution.Explain("push", named, err)
	}
	p := &push{store: s.ctd.Content(), tracker: tracker, say: say, names: map[string]string{}}
	for i, layer := range img.Layers {
		// docker names a layer by its uncompressed content here: the same in every registry, however that compresses.
		p.names[layer.Digest.String()] = short(img.Config.RootFS.DiffIDs[i])
		say.status(p.names[layer.Digest.String()], "Preparing")
	}
	err = remotes.PushContent(ctx, pusher, target, p, semaphore.NewWeighted(maxUploads), platforms.All, p.report)
	if err != nil {
		return distribution.Explain("push", named, err)
	}
	source, err := docker.AppendDistributionSourceLabel(p.store, named.String())
	if err == nil {
		_, err = source(ctx, target)
	}
	if err != nil {
		return err
	}
	tag := named.(reference.Tagged).Tag()
	say(jsonstream.Message{Status: fmt.Sprintf("%s: digest: %s size: %d", tag, target.Digest, target.Size)})
	aux, err := json.Marshal(map[string]any{"Tag": tag, "Digest": target.Digest.String(), "Size": target.Size})
	if err != nil {
		return err
	}
	raw := json.RawMessage(aux)
	say(jsonstream.Message{Aux: &raw})
	return nil
}

// pushable is what is sent: the target, if everything it refers to is here, and else (an index of which one platform was pulled) the
// manifest for this machine.
func (s *Images) pushable(ctx context.Context, img *Image) (ocispec.Descriptor, error) {
	target := img.Target
	target.Annotations = nil
	store := s.ctd.Content()
	whole := true
	err := images.Walk(ctx, images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		if _, err := store.Info(ctx, desc.Digest); errdefs.IsNotFound(err) {
			whole = false
			return nil, images.ErrSkipDesc
		} else if err != nil {
			return nil, err
		}
		return images.Children(ctx, store, desc)
	}), target)
	if err != nil || whole || !images.IsIndexType(target.MediaType) {
		return target, err
	}
	var index ocispec.Index
	if err := readJSON(ctx, store, target, &index); err != nil {
		return target, err
	}
	match := platforms.Default()
	best := -1
	for i, m := range index.Manifests {
		if m.Platform == nil || !match.Match(*m.Platform) {
			continue
		}
		if _, err := store.Info(ctx, m.Digest); err == nil && (best < 0 || match.Less(*m.Platform, *index.Manifests[best].Platform)) {
			best = i
		}
	}
	if best < 0 {
		return target, &stages.Error{Kind: stages.NotFound, Thing: target.Digest.String(), Err: errors.New("no manifest of the index is here")}
	}
	m := index.Manifests[best]
	return ocispec.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: m.Size}, nil
}

// A push is one under way. It is the content store that PushContent reads from, so that it can tell how far the reading is.
type push struct {
	store   content.Store
	tracker docker.StatusTracker
	say     Say
	names   map[string]string // of layers: digest → what it is called in the report
}

// Info implements content.InfoProvider: PushContent reads there in which other repositories of the registry a blob is known to be.
func (p *push) Info(ctx context.Context, d digest.Digest) (content.Info, error) {
	return p.store.Info(ctx, d)
}

// ReaderAt implements content.Provider.
func (p *push) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	r, err := p.store.ReaderAt(ctx, desc)
	if name, ok := p.names[desc.Digest.String()]; ok && err == nil {
		return &meteredReader{r, &meter{say: p.say, id: name, status: "Pushing", total: desc.Size}}, nil
	}
	return r, err
}

// report stands around the upload of each blob.
func (p *push) report(upload images.Handler) images.Handler {
	return images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		children, err := upload.Handle(ctx, desc)
		name, ok := p.names[desc.Digest.String()]
		if err != nil || !ok {
			return children, err
		}
		status, err := p.tracker.GetStatus(remotes.MakeRefKey(ctx, desc))
		switch {
		case err == nil && status.MountedFrom != "":
			p.say.status(name, "Mounted from "+status.MountedFrom)
		case err == nil && status.Exists:
			p.say.status(name, "Layer already exists")
		default:
			p.say.status(name, "Pushed")
		}
		return children, nil
	})
}

type meteredReader struct {
	content.ReaderAt
	meter *meter
}

func (r *meteredReader) ReadAt(b []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, at)
	r.meter.at(at + int64(n))
	return n, err
}
