// Package image turns an image's layers into snapshots.
//
// A layer is a blob: a tar archive, mostly compressed. Apply unpacks one into an active snapshot's directory; the client then commits that
// as a layer, and stands the next on it. Who decides the order, and the layers' chain of names, is the client (hulld, ctr): the OCI
// image-spec's DiffID is the digest Apply returns, its ChainID the name the client commits under.
//
// The server's diff service calls it. A layer comes from anywhere, so nothing in it is believed: names and links that lead out of the
// tree are refused by name (entries.go), what is left is resolved below the snapshot's root, the blob is hashed again while it is read,
// and after a failure the snapshot is empty.
package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"hull/containerd/snapshot"
	"hull/stages"
)

// MaxLayer bounds what one layer may unpack to, in bytes of tar.
const MaxLayer = 256 << 30

// Apply unpacks the layer desc into the active snapshot that mounts describe, and returns the uncompressed layer's digest (DiffID) and
// size. root is the snapshotter's directory: mounts that lead elsewhere are refused.
func Apply(ctx context.Context, store content.Provider, desc ocispec.Descriptor, mounts []snapshot.Mount, root string) (_ ocispec.Descriptor, err error) {
	target, parents, err := target(mounts, root)
	if err != nil {
		return ocispec.Descriptor{}, &stages.Error{Kind: stages.Invalid, Thing: "mounts", Err: err}
	}
	layer := func(kind stages.Kind, err error) error {
		return &stages.Error{Kind: kind, Thing: "layer " + desc.Digest.String(), Err: err}
	}
	blob, err := store.ReaderAt(ctx, desc)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer blob.Close()
	if desc.Size > 0 && blob.Size() != desc.Size {
		return ocispec.Descriptor{}, layer(stages.Invalid, fmt.Errorf("the blob has %d bytes, its descriptor says %d", blob.Size(), desc.Size))
	}

	packed := desc.Digest.Algorithm().Digester()
	raw := io.TeeReader(io.NewSectionReader(blob, 0, blob.Size()), packed.Hash())
	stream, err := compression.DecompressStream(raw)
	if err != nil {
		return ocispec.Descriptor{}, layer(stages.Invalid, err)
	}
	defer stream.Close()
	unpacked := digest.Canonical.Digester()
	count := &counter{limit: MaxLayer}
	plain := io.TeeReader(io.TeeReader(stream, unpacked.Hash()), count)

	defer func() {
		if err != nil {
			empty(target)
		}
	}()
	last := ""
	options := []archive.ApplyOpt{archive.WithFilter(func(h *tar.Header) (bool, error) {
		last = h.Name
		return true, Check(h)
	})}
	if len(parents) > 0 {
		// ".wh.NAME" in a layer says that NAME below is gone; overlay says it with a character device 0/0, and ".wh..wh..opq" with an
		// extended attribute (overlayfs.rst, "whiteouts and opaque directories"). In a lowest layer there is nothing to hide.
		options = append(options, archive.WithParents(parents), archive.WithConvertWhiteout(archive.OverlayConvertWhiteout))
	}
	if _, err := archive.Apply(ctx, target, plain, options...); err != nil {
		var refused *Refused
		if !errors.As(err, &refused) {
			err = fmt.Errorf("at entry %q: %w", last, err)
		}
		return ocispec.Descriptor{}, layer(kindOf(err), err)
	}
	// The digests are of the whole blob, the tar's padding included.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return ocispec.Descriptor{}, layer(kindOf(err), err)
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return ocispec.Descriptor{}, layer(stages.Internal, err)
	}
	if got := packed.Digest(); got != desc.Digest {
		return ocispec.Descriptor{}, layer(stages.Invalid, fmt.Errorf("the stored blob has the digest %s: it is damaged", got))
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: unpacked.Digest(), Size: count.n}, nil
}

// kindOf tells a bad archive from a full disk.
func kindOf(err error) stages.Kind {
	var bad *Refused
	switch {
	case errors.As(err, &bad), errors.Is(err, tar.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF):
		return stages.Invalid
	case errors.Is(err, errTooLarge), strings.Contains(err.Error(), "no space left"):
		return stages.Exhausted
	}
	return stages.Invalid
}

// target finds in a snapshot's mounts the directory that is written to, and the layers below it.
func target(mounts []snapshot.Mount, root string) (dir string, parents []string, err error) {
	if len(mounts) != 1 {
		return "", nil, fmt.Errorf("there are %d of them; a snapshot of this snapshotter has one", len(mounts))
	}
	m := mounts[0]
	switch m.Type {
	case "bind":
		dir = m.Source
		for _, o := range m.Options {
			if o == "ro" {
				return "", nil, errors.New("the snapshot is read-only")
			}
		}
	case "overlay":
		for _, o := range m.Options {
			if v, ok := strings.CutPrefix(o, "upperdir="); ok {
				dir = v
			}
			if v, ok := strings.CutPrefix(o, "lowerdir="); ok {
				parents = strings.Split(v, ":")
			}
		}
	default:
		return "", nil, fmt.Errorf("type %q: bind and overlay are what this snapshotter makes", m.Type)
	}
	for _, d := range append([]string{dir}, parents...) {
		rel, err := filepath.Rel(root, d)
		if err != nil || filepath.Clean(d) != d || !filepath.IsLocal(rel) || filepath.Base(d) != "fs" {
			return "", nil, fmt.Errorf("%q is no snapshot's directory", d)
		}
	}
	return dir, parents, nil
}

// empty removes what a failed Apply has left in a snapshot's directory. The directory itself stays: the snapshot is still there.
func empty(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		os.RemoveAll(filepath.Join(dir, e.Name()))
	}
}

var errTooLarge = errors.New("it unpacks to more than is taken")

// A counter counts what passes, up to its limit.
type counter struct{ n, limit int64 }

func (c *counter) Write(p []byte) (int, error) {
	if c.n += int64(len(p)); c.n > c.limit {
		return 0, errTooLarge
	}
	return len(p), nil
}
