// Package content is the content store: blobs under their digests, one directory per namespace.
//
// The blobs themselves are kept by containerd's own local store (LIB/containerd/content/NAMESPACE/blobs/sha256/…: students can ls and
// sha256sum them): it verifies the digest, syncs and renames, so that a blob is there whole or not at all, and an interrupted upload
// goes on where it stopped. What is ours is the choice of the namespace's directory, where the labels are kept, and the limits.
//
// The server's content service, the layer unpacker and the garbage collector call it.
package content

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/containerd/containerd/v2/core/content"
	filter "github.com/containerd/containerd/v2/pkg/filters"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"hull/containerd/meta"
	"hull/stages"
)

// MaxBlob bounds one blob: 64 GiB, more than any registry takes for a layer.
const MaxBlob = 64 << 30

// A Store is the blobs of all namespaces. It is a content.Store: the namespace comes with each call's context.
type Store struct {
	root   string
	labels *meta.Table[map[string]string]

	mu     sync.Mutex
	stores map[string]content.Store
	leased map[upload]bool
	open   map[upload]*writer
}

// An upload is one blob on its way in.
type upload struct{ namespace, ref string }

// New is the store below root.
func New(root string, db *meta.DB) *Store {
	return &Store{root: root, labels: meta.JSON[map[string]string](db, "content"), stores: map[string]content.Store{}, leased: map[upload]bool{}, open: map[upload]*writer{}}
}

// of is the store of the context's namespace.
func (s *Store) of(ctx context.Context) (content.Store, error) {
	ns, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.stores[ns]; ok {
		return st, nil
	}
	st, err := local.NewLabeledStore(filepath.Join(s.root, ns), &labels{s.labels, ns})
	if err == nil {
		err = s.removeHalves(ns)
	}
	if err != nil {
		return nil, fmt.Errorf("content store: %w", err)
	}
	s.stores[ns] = st
	return st, nil
}

func (s *Store) Info(ctx context.Context, d digest.Digest) (content.Info, error) {
	st, err := s.of(ctx)
	if err != nil {
		return content.Info{}, err
	}
	return st.Info(ctx, d)
}

func (s *Store) Update(ctx context.Context, info content.Info, fieldpaths ...string) (content.Info, error) {
	st, err := s.of(ctx)
	if err != nil {
		return content.Info{}, err
	}
	return st.Update(ctx, info, fieldpaths...)
}

func (s *Store) Walk(ctx context.Context, fn content.WalkFunc, filters ...string) error {
	st, err := s.of(ctx)
	if err != nil {
		return err
	}
	all, err := settled(func() (all []content.Info, err error) {
		err = st.Walk(ctx, func(i content.Info) error { all = append(all, i); return nil }, filters...)
		return all, err
	})
	for _, i := range all {
		if err == nil {
			err = fn(i)
		}
	}
	return err
}

// settled lists again when a blob has gone between the listing of its directory and the look at it: the local store takes that
// for a failure.
func settled[T any](list func() ([]T, error)) (all []T, err error) {
	for range 100 {
		if all, err = list(); !errors.Is(err, fs.ErrNotExist) && !errdefs.IsNotFound(err) {
			break
		}
	}
	return all, err
}

// Delete removes the blob and its labels.
func (s *Store) Delete(ctx context.Context, d digest.Digest) error {
	st, err := s.of(ctx)
	if err != nil {
		return err
	}
	if err := st.Delete(ctx, d); err != nil {
		return err
	}
	ns, _ := namespaces.Namespace(ctx)
	if _, err := s.labels.Delete(ns, d.String()); err != nil && stages.KindOf(err) != stages.NotFound {
		return err
	}
	return nil
}

func (s *Store) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	st, err := s.of(ctx)
	if err != nil {
		return nil, err
	}
	return st.ReaderAt(ctx, desc)
}

func (s *Store) Status(ctx context.Context, ref string) (content.Status, error) {
	st, err := s.of(ctx)
	if err != nil {
		return content.Status{}, err
	}
	if ns, _ := namespaces.Namespace(ctx); s.aborted(ns, ref) {
		return content.Status{}, fmt.Errorf("upload %s: aborted: %w", ref, errdefs.ErrNotFound)
	}
	return st.Status(ctx, ref)
}

// ListStatuses lists the uploads. One that ends meanwhile is left out: the local store takes that for a failure.
func (s *Store) ListStatuses(ctx context.Context, filters ...string) (all []content.Status, err error) {
	match, err := filter.ParseAll(filters...)
	if err != nil {
		return nil, err
	}
	if _, err := s.of(ctx); err != nil {
		return nil, err
	}
	ns, _ := namespaces.Namespace(ctx)
	dirs, err := os.ReadDir(s.ingests(ns))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, dir := range dirs {
		ref, err := os.ReadFile(filepath.Join(s.ingests(ns), dir.Name(), "ref"))
		var status content.Status
		if err == nil {
			status, err = s.Status(ctx, string(ref))
		}
		switch {
		case errors.Is(err, fs.ErrNotExist), errdefs.IsNotFound(err): // it has just ended, or only just begun
		case err != nil:
			return nil, err
		case match.Match(filter.AdapterFunc(func(field []string) (string, bool) { return status.Ref, len(field) == 1 && field[0] == "ref" })):
			all = append(all, status)
		}
	}
	return all, nil
}

// ingests is where the local store keeps a namespace's uploads: each a directory with the files ref, data, startedat and updatedat.
func (s *Store) ingests(ns string) string { return filepath.Join(s.root, ns, "ingest") }

// removeHalves removes what a kill in the middle of the beginning or the end of an upload has left: a directory without its files, which
// cannot be gone on with. It comes before the first writer.
func (s *Store) removeHalves(ns string) error {
	dirs, err := os.ReadDir(s.ingests(ns))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, dir := range dirs {
		path := filepath.Join(s.ingests(ns), dir.Name())
		for _, file := range []string{"ref", "data", "startedat", "updatedat"} {
			if _, e := os.Lstat(filepath.Join(path, file)); errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, os.RemoveAll(path))
				break
			}
		}
	}
	return err
}

// Abort removes an upload. One that is still being written is gone for whoever asks, and its files go with its writer, which puts some
// there until its end.
func (s *Store) Abort(ctx context.Context, ref string) error {
	st, err := s.of(ctx)
	if err != nil {
		return err
	}
	ns, _ := namespaces.Namespace(ctx)
	s.mu.Lock()
	w := s.open[upload{ns, ref}]
	if w != nil {
		w.aborted = true
	}
	delete(s.leased, upload{ns, ref})
	s.mu.Unlock()
	if w != nil {
		return nil
	}
	return st.Abort(ctx, ref)
}

func (s *Store) aborted(ns, ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.open[upload{ns, ref}]
	return w != nil && w.aborted
}

// Writer begins, or goes on with, an upload. One that says at the start that it is larger than MaxBlob is refused.
func (s *Store) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var w content.WriterOpts
	for _, o := range opts {
		if err := o(&w); err != nil {
			return nil, err
		}
	}
	if w.Desc.Size > MaxBlob {
		return nil, &stages.Error{Kind: stages.Exhausted, Thing: "blob " + w.Ref, Err: fmt.Errorf("%d bytes; at most %d are taken", w.Desc.Size, int64(MaxBlob))}
	}
	st, err := s.of(ctx)
	if err != nil {
		return nil, err
	}
	ns, _ := namespaces.Namespace(ctx)
	open := &writer{store: s, local: st, upload: upload{ns, w.Ref}}
	s.mu.Lock()
	taken := s.open[open.upload] != nil
	if !taken {
		s.open[open.upload] = open
	}
	s.mu.Unlock()
	if taken {
		return nil, fmt.Errorf("upload %s: it is being written: %w", w.Ref, errdefs.ErrUnavailable)
	}
	if open.Writer, err = st.Writer(ctx, opts...); err != nil {
		open.over()
		return nil, err
	}
	return open, nil
}

// Leased notes that an upload was begun under a lease: it is kept as long as that, and not by its age.
func (s *Store) Leased(namespace, ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leased[upload{namespace, ref}] = true
}

// WasLeased reports whether an upload was begun under a lease. It is forgotten when we are restarted: then its age counts.
func (s *Store) WasLeased(namespace, ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leased[upload{namespace, ref}]
}

// labels is the local store's LabelStore on top of our records.
type labels struct {
	table *meta.Table[map[string]string]
	ns    string
}

func (l *labels) Get(d digest.Digest) (map[string]string, error) {
	m, err := l.table.Get(l.ns, d.String())
	if stages.KindOf(err) == stages.NotFound && err != nil {
		return nil, nil
	}
	return m, err
}

func (l *labels) Set(d digest.Digest, m map[string]string) error {
	return l.table.Set(l.ns, d.String(), m, false)
}

// Update merges change into the labels; an empty value removes one.
func (l *labels) Update(d digest.Digest, change map[string]string) (map[string]string, error) {
	m, err := l.Get(d)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = map[string]string{}
	}
	for k, v := range change {
		if v == "" {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
	return m, l.Set(d, m)
}
