package content

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// A writer is an upload that is being written. There is one for each reference at a time: the local store refuses a second.
type writer struct {
	content.Writer
	store   *Store
	local   content.Store
	upload  upload
	aborted bool // guarded by store.mu
}

// Commit makes the upload a blob, unless it was aborted meanwhile.
func (w *writer) Commit(ctx context.Context, size int64, expected digest.Digest, opts ...content.Opt) error {
	if w.store.aborted(w.upload.namespace, w.upload.ref) {
		w.Close()
		return fmt.Errorf("upload %s: aborted: %w", w.upload.ref, errdefs.ErrNotFound)
	}
	err := w.Writer.Commit(ctx, size, expected, opts...)
	w.over()
	if err == nil {
		w.store.mu.Lock()
		delete(w.store.leased, w.upload)
		w.store.mu.Unlock()
	}
	return err
}

func (w *writer) Close() error {
	err := w.Writer.Close()
	w.over()
	return err
}

// over takes the writer off the list; before that it removes the upload if that was asked for meanwhile.
func (w *writer) over() {
	s := w.store
	s.mu.Lock()
	aborted := s.open[w.upload] == w && w.aborted
	if !aborted && s.open[w.upload] == w {
		delete(s.open, w.upload)
	}
	s.mu.Unlock()
	if !aborted {
		return
	}
	w.local.Abort(namespaces.WithNamespace(context.Background(), w.upload.namespace), w.upload.ref) // a failure leaves an upload to be collected
	s.mu.Lock()
	delete(s.open, w.upload)
	s.mu.Unlock()
}
