package server

import (
	"context"
	"errors"

	"github.com/containerd/containerd/v2/core/content"
	ctdleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/opencontainers/go-digest"

	contentstore "hull/containerd/content"
	"hull/containerd/gc"
)

// hold puts a thing under the call's lease, if the call has one. It comes before the thing is made or looked for: a collection in between
// finds a lease on something that is not there yet, which is harmless, and never something without its lease.
func (c *collector) hold(ctx context.Context, ns string, kind gc.Kind, key string) error {
	lease, ok := ctdleases.FromContext(ctx)
	if !ok {
		return nil
	}
	defer c.rely()()
	return changeLease(c.leases, ns, lease, func(all []resource) []resource { return withResource(all, resource{key, string(kind)}) })
}

// leasedContent is the content store as clients see it: what they write under a lease is kept by it.
type leasedContent struct {
	*contentstore.Store
	server *server
}

// Update changes labels, which may refer to other things.
func (s *leasedContent) Update(ctx context.Context, info content.Info, fieldpaths ...string) (content.Info, error) {
	defer s.server.gc.rely()()
	return s.Store.Update(ctx, info, fieldpaths...)
}

func (s *leasedContent) Delete(ctx context.Context, d digest.Digest) error {
	defer s.server.gc.changed()
	return s.Store.Delete(ctx, d)
}

// Writer puts the upload under the call's lease; or the blob, if it is here already.
func (s *leasedContent) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	lease, ok := ctdleases.FromContext(ctx)
	if !ok {
		return s.Store.Writer(ctx, opts...)
	}
	ns, err := s.server.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	var o content.WriterOpts
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if d := o.Desc.Digest; d != "" {
		if err := s.server.gc.hold(ctx, ns, gc.Content, d.String()); err != nil {
			return nil, err
		}
	}
	if err := s.server.gc.hold(ctx, ns, gc.Ingest, o.Ref); err != nil {
		return nil, err
	}
	s.Leased(ns, o.Ref)
	w, err := s.Store.Writer(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return &leasedWriter{Writer: w, server: s.server, ns: ns, lease: lease, ref: o.Ref}, nil
}

// leasedWriter is an upload under a lease.
type leasedWriter struct {
	content.Writer
	server         *server
	ns, lease, ref string
}

// Commit makes the upload a blob, and the lease's hold on the one a hold on the other.
func (w *leasedWriter) Commit(ctx context.Context, size int64, expected digest.Digest, opts ...content.Opt) error {
	blob := w.Writer.Digest()
	if expected != "" {
		blob = expected
	}
	held := func(all []resource) []resource { return withResource(all, resource{blob.String(), string(gc.Content)}) }
	if err := w.change(held); err != nil {
		return err
	}
	if err := w.Writer.Commit(ctx, size, expected, opts...); err != nil {
		return err
	}
	return w.change(func(all []resource) []resource { return withoutResource(all, resource{w.ref, string(gc.Ingest)}) })
}

func (w *leasedWriter) change(with func([]resource) []resource) error {
	defer w.server.gc.rely()()
	err := changeLease(w.server.gc.leases, w.ns, w.lease, with)
	if err != nil {
		err = errors.Join(err, w.Writer.Close())
	}
	return err
}
