package image

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"hull/stages"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/errdefs"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A Recipe is what Make makes an image of: one layer, on those of another image or on none.
type Recipe struct {
	Base    *Image    // nil: the layer is all there is
	Layer   io.Reader // a tar, plain or compressed, that may come from anywhere; nil for no layer
	Config  dockerspec.DockerOCIImageConfig
	Author  string
	Comment string
	Command string // what the layer was made by, for the history
	Name    string // full, with a tag; empty for an image without a name
}

// Make writes the layer, the config and the manifest of a new image, unpacks the layer and gives the image its name, last. After an error
// nothing of it is left.
func (s *Images) Make(ctx context.Context, r Recipe) (*Image, error) {
	ctx, done, err := s.ctd.WithLease(ctx)
	if err != nil {
		return nil, err
	}
	failed := true
	defer func() { done(failed) }()
	store := &ingest{Store: s.ctd.Content(), prefix: "make-" + rand.Text() + "-"}
	now := time.Now().UTC()
	config := dockerspec.DockerOCIImage{Image: ocispec.Image{
		Created: &now, Author: r.Author, Platform: ocispec.Platform{Architecture: runtime.GOARCH, OS: "linux"}, RootFS: ocispec.RootFS{Type: "layers"},
	}, Config: r.Config}
	var layers []ocispec.Descriptor
	if r.Base != nil {
		if err := s.ctd.HoldContent(ctx, r.Base.Target.Digest); err != nil {
			return nil, err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, r.Base.Config.RootFS.DiffIDs...)
		config.History = append(config.History, r.Base.Config.History...)
		layers = append(layers, r.Base.Layers...)
		if config.Author == "" {
			config.Author = r.Base.Config.Author
		}
	}
	if r.Layer != nil {
		layer, err := writeLayer(ctx, store, r.Layer)
		if err != nil {
			return nil, err
		}
		layers, config.RootFS.DiffIDs = append(layers, layer), append(config.RootFS.DiffIDs, layer.Digest)
	}
	config.History = append(config.History, ocispec.History{Created: &now, Author: r.Author, CreatedBy: r.Command, Comment: r.Comment, EmptyLayer: r.Layer == nil})
	target, err := writeDocuments(ctx, store, config, layers)
	if err != nil {
		return nil, err
	}
	img, err := s.unpack(ctx, store, target)
	if err != nil {
		return nil, err
	}
	name := r.Name
	if name == "" {
		name = untagged + target.Digest.String()
	}
	if _, err := s.name(ctx, name, target); err != nil {
		return nil, err
	}
	failed, img.Names = false, []string{name}
	return img, nil
}

// writeLayer stores a layer as plain tar: then its digest is its diff id as well.
func writeLayer(ctx context.Context, store content.Store, r io.Reader) (desc ocispec.Descriptor, err error) {
	plain, err := compression.DecompressStream(r)
	if err != nil {
		return desc, archiveError(err)
	}
	defer plain.Close()
	w, err := store.Writer(ctx, content.WithRef("layer"))
	if err != nil {
		return desc, err
	}
	defer w.Close()
	count := &counted{r: plain}
	if _, err := content.CopyReader(w, count); err != nil {
		return desc, archiveError(err)
	}
	if count.n == 0 {
		return desc, invalid("", errors.New("the archive is empty"))
	}
	if err := exists(w.Commit(ctx, count.n, "")); err != nil {
		return desc, err
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: w.Digest(), Size: count.n}, nil
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// writeDocuments stores the config and the manifest and returns the manifest.
func writeDocuments(ctx context.Context, store content.Store, config dockerspec.DockerOCIImage, layers []ocispec.Descriptor) (ocispec.Descriptor, error) {
	configDesc, err := writeJSON(ctx, store, ocispec.MediaTypeImageConfig, config)
	if err != nil {
		return configDesc, err
	}
	if layers == nil {
		layers = []ocispec.Descriptor{}
	}
	return writeJSON(ctx, store, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: configDesc, Layers: layers,
	})
}

func writeJSON(ctx context.Context, store content.Store, mediaType string, v any) (ocispec.Descriptor, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(text), Size: int64(len(text))}
	err = content.WriteBlob(ctx, store, desc.Digest.String(), bytes.NewReader(text), desc)
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return desc, &stages.Error{Thing: desc.Digest.String(), Err: fmt.Errorf("write: %w", err)}
	}
	return desc, nil
}
