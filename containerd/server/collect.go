package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	api "github.com/containerd/containerd/api/services/containers/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/v2/core/content"
	ctdns "github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"hull/containerd/gc"
	"hull/containerd/meta"
	"hull/containerd/snapshot"
	"hull/stages"
)

// A collector is the garbage collector: it removes what neither an image, a container, a lease nor a label keeps (package gc).
//
// refs is what makes it safe: whoever begins to rely on something (a name for a blob, a lease on it, a label that refers to it) holds it
// for reading, for as long as the look and the record take; a collection holds it for writing from its first look to its last removal. So
// a thing is either gone before one looks, or kept. A kill between two removals leaves garbage, never a reference to nothing: what refers
// goes before what it refers to, and the next start collects the rest.
type collector struct {
	*server
	images     *meta.Table[*imagesapi.Image]
	containers *meta.Table[*api.Container]
	leases     *meta.Table[lease]

	refs sync.RWMutex

	mu      sync.Mutex
	timer   *time.Timer // the next collection
	due     time.Time   // when it is
	changes int         // since the last
}

const (
	collectSoon = time.Second    // several deletions are one collection's work
	maxChanges  = 100            // containerd's mutation_threshold
	ingestLife  = 24 * time.Hour // of an upload that no lease keeps
)

// rely is held while a reference is made: defer s.gc.rely()().
func (c *collector) rely() (done func()) {
	c.refs.RLock()
	return c.refs.RUnlock
}

// after makes the collection that a deletion asks for: at once, or soon.
func (c *collector) after(ctx context.Context, ns string, sync bool) error {
	if sync {
		return c.collect(ctx, ns)
	}
	c.schedule(collectSoon)
	return nil
}

// changed counts a change that may have made garbage, without anybody's saying so.
func (c *collector) changed() {
	c.mu.Lock()
	c.changes++
	enough := c.changes >= maxChanges
	c.mu.Unlock()
	if enough {
		c.schedule(collectSoon)
	}
}

// schedule has a collection of all namespaces made after d, or earlier if one is due earlier.
func (c *collector) schedule(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := time.Now().Add(d)
	if c.timer != nil && !c.due.After(at) {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	c.due, c.timer = at, time.AfterFunc(d, c.collectAll)
}

// stop ends the schedule and waits for a collection under way.
func (c *collector) stop() {
	c.mu.Lock()
	if c.timer != nil {
		c.timer.Stop()
	}
	c.timer, c.due = time.NewTimer(0), time.Time{} // nothing is scheduled any more: this one is always earlier
	c.mu.Unlock()
	c.refs.Lock()
	//lint:ignore SA2001 it was only waited for
	c.refs.Unlock()
}

func (c *collector) collectAll() {
	c.mu.Lock()
	if c.due.IsZero() { // stopped
		c.mu.Unlock()
		return
	}
	c.timer, c.changes = nil, 0
	c.mu.Unlock()
	names, err := c.db.Namespaces()
	for _, ns := range names {
		err = errors.Join(err, c.collect(context.Background(), ns))
	}
	if err != nil {
		slog.Error("garbage collection", "error", oneLine(err))
	}
}

// collect makes one collection of a namespace.
func (c *collector) collect(ctx context.Context, ns string) error {
	ctx = ctdns.WithNamespace(context.WithoutCancel(ctx), ns)
	dirs, err := c.sweep(ctx, ns, time.Now())
	for _, remove := range dirs { // the files, which may take long, after the lock: no record names them any more
		err = errors.Join(err, remove())
	}
	return err
}

// sweep removes the records and blobs of what nothing reaches, and returns what removes the snapshots' directories.
func (c *collector) sweep(ctx context.Context, ns string, now time.Time) (dirs []func() error, err error) {
	c.refs.Lock()
	defer c.refs.Unlock()
	f, err := c.look(ctx, ns, now)
	if err != nil {
		return nil, err
	}
	for _, id := range f.expiredLeases {
		if _, err := c.leases.Delete(ns, id); err != nil {
			return nil, err
		}
	}
	for _, name := range f.expiredImages {
		if _, err := c.images.Delete(ns, name); err != nil {
			return nil, err
		}
	}
	reached := gc.Reached(f.roots, func(n gc.Node) []gc.Node { return f.refs[n] })
	for n := range f.flat {
		reached[n] = true
	}
	for _, i := range f.snapshots { // those on top first
		if reached[gc.Node{Kind: gc.Snapshot, Key: i.Name}] {
			continue
		}
		remove, err := c.server.snapshots.Forget(ns, i.Name)
		if stages.KindOf(err) == stages.Conflict && err != nil {
			continue // a snapshot was prepared on it in this moment
		}
		if err != nil {
			return dirs, err
		}
		dirs = append(dirs, remove)
	}
	for _, d := range f.blobs {
		if !reached[gc.Node{Kind: gc.Content, Key: d.String()}] {
			if err := c.server.content.Delete(ctx, d); err != nil && !errdefs.IsNotFound(err) {
				return dirs, err
			}
		}
	}
	for _, ref := range f.ingests {
		if !reached[gc.Node{Kind: gc.Ingest, Key: ref}] {
			if err := c.server.content.Abort(ctx, ref); err != nil && !errdefs.IsNotFound(err) {
				return dirs, err
			}
		}
	}
	return dirs, nil
}

// found is what one look saw.
type found struct {
	roots                        []gc.Node
	refs                         map[gc.Node][]gc.Node
	flat                         map[gc.Node]bool // kept, and not followed
	snapshots                    []snapshot.Info
	blobs                        []digest.Digest
	ingests                      []string
	expiredLeases, expiredImages []string
}

// look reads everything there is in a namespace.
func (c *collector) look(ctx context.Context, ns string, now time.Time) (*found, error) {
	f := &found{refs: map[gc.Node][]gc.Node{}, flat: map[gc.Node]bool{}}
	if err := c.lookNamed(f, ns, now); err != nil {
		return nil, err
	}
	snapshots, err := c.server.snapshots.List(ns, nil)
	if err != nil {
		return nil, err
	}
	for _, i := range snapshots {
		n := gc.Node{Kind: gc.Snapshot, Key: i.Name}
		if f.refs[n] = gc.References(i.Labels); i.Parent != "" {
			f.refs[n] = append(f.refs[n], gc.Node{Kind: gc.Snapshot, Key: i.Parent})
		}
		if gc.Root(i.Labels, now) {
			f.roots = append(f.roots, n)
		}
	}
	f.snapshots = snapshot.TopDown(snapshots)
	err = c.server.content.Walk(ctx, func(info content.Info) error {
		n := gc.Node{Kind: gc.Content, Key: info.Digest.String()}
		f.refs[n] = gc.References(info.Labels)
		if gc.Root(info.Labels, now) {
			f.roots = append(f.roots, n)
		}
		f.blobs = append(f.blobs, info.Digest)
		return nil
	})
	if err != nil {
		return nil, err
	}
	uploads, err := c.server.content.ListStatuses(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range uploads {
		f.ingests = append(f.ingests, u.Ref)
		if !c.server.content.WasLeased(ns, u.Ref) && now.Sub(u.UpdatedAt) < ingestLife {
			f.roots = append(f.roots, gc.Node{Kind: gc.Ingest, Key: u.Ref})
		}
	}
	return f, nil
}

// lookNamed reads the roots: images, containers and leases.
func (c *collector) lookNamed(f *found, ns string, now time.Time) error {
	images, err := c.images.List(ns, nil)
	if err != nil {
		return err
	}
	for _, i := range images {
		n := gc.Node{Kind: gc.Image, Key: i.Name}
		f.refs[n] = append(gc.References(i.Labels), gc.Node{Kind: gc.Content, Key: i.Target.GetDigest()})
		if gc.Expired(i.Labels, now) {
			f.expiredImages = append(f.expiredImages, i.Name)
		} else {
			f.roots = append(f.roots, n)
		}
	}
	containers, err := c.containers.List(ns, nil)
	if err != nil {
		return err
	}
	for _, ctr := range containers {
		f.roots = append(append(f.roots, gc.References(ctr.Labels)...), gc.Node{Kind: gc.Snapshot, Key: ctr.SnapshotKey})
	}
	leases, err := c.leases.List(ns, nil)
	if err != nil {
		return err
	}
	for _, l := range leases {
		if gc.Expired(l.Labels, now) {
			f.expiredLeases = append(f.expiredLeases, l.ID)
			continue
		}
		if at := gc.Expiry(l.Labels); !at.IsZero() {
			c.schedule(at.Sub(now) + collectSoon)
		}
		for _, r := range l.Resources {
			if n := (gc.Node{Kind: gc.Kind(r.Type), Key: r.ID}); gc.Flat(l.Labels) {
				f.flat[n] = true
			} else {
				f.roots = append(f.roots, n)
			}
		}
	}
	return nil
}
