package engine

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"hull/daemon/rootfs"
	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// withRoot gives use the container's root file system. That of a running container is its own; that of any other is mounted for the
// occasion, and the container's lock is held meanwhile: started at the same time it would be mounted twice.
func (e *Engine) withRoot(ctx context.Context, ref string, use func(*rootfs.Root, store.Record) error) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	c.op.Lock()
	unlock := c.op.Unlock
	defer func() { unlock() }()
	rec := c.Record()
	if c.isGone() {
		return failure(stages.NotFound, "No such container: %s", ref)
	}
	var root *rootfs.Root
	if rec.State.PID != 0 {
		if root, err = e.runningRoot(c, rootfs.Running); err == nil {
			unlock() // a long copy must not hold its stop
			unlock = func() {}
		}
	} else {
		root, err = e.stoppedRoot(ctx, rec, true)
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return fileError(ref, use(root, rec))
}

// runningRoot opens the root of the container's first process, and makes sure that it was that process's.
func (e *Engine) runningRoot(c *Container, open func(pid int) (*rootfs.Root, error)) (*rootfs.Root, error) {
	state := c.Record().State
	root, err := open(state.PID)
	if err == nil && startTime(state.PID) != state.PIDStart { // asked after the open: what was opened was that process's
		err = errors.Join(errors.New("it has ended"), root.Close())
	}
	if err != nil {
		return nil, &stages.Error{Kind: stages.Conflict, Thing: "container " + c.ID[:12], Err: err, Hint: "try again"}
	}
	return root, nil
}

// stoppedRoot mounts the root of a container that does not run, with or without its binds and volumes.
func (e *Engine) stoppedRoot(ctx context.Context, rec store.Record, withBinds bool) (*rootfs.Root, error) {
	mounts, err := e.ctd.SnapshotMounts(ctx, rec.ID)
	if err != nil {
		return nil, err
	}
	var binds []rootfs.Bind
	if withBinds {
		if binds, err = e.binds(&rec); err != nil {
			return nil, err
		}
	}
	dir := filepath.Join(e.store.Dir(&rec), "root")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	root, err := rootfs.Stopped(mounts, binds, dir)
	if err != nil {
		return nil, &stages.Error{Thing: "root of container " + rec.ID[:12], Err: err, Hint: "containerd must be on this machine"}
	}
	return root, nil
}

// binds is what of the host the container sees: its mounts, and the files that the daemon keeps for it.
func (e *Engine) binds(rec *store.Record) (binds []rootfs.Bind, err error) {
	points, err := e.points(rec)
	if err != nil {
		return nil, err
	}
	dir := e.store.Dir(rec)
	for _, name := range []string{"hostname", "hosts", "resolv.conf"} {
		binds = append(binds, rootfs.Bind{Source: filepath.Join(dir, name), Target: "/etc/" + name})
	}
	for _, p := range points {
		if p.Source != "" && p.Type != "tmpfs" {
			binds = append(binds, rootfs.Bind{Source: p.Source, Target: p.Destination, ReadOnly: !p.RW})
		}
	}
	return binds, nil
}

// fileError gives what went wrong with a path its kind.
func fileError(ref string, err error) error {
	switch {
	case err == nil, stages.KindOf(err) != stages.Internal:
		return err
	case rootfs.IsNotExist(err):
		var p *os.PathError
		if errors.As(err, &p) {
			return failure(stages.NotFound, "Could not find the file %s in container %s", p.Path, ref)
		}
		return &stages.Error{Kind: stages.NotFound, Err: err}
	case errors.Is(err, rootfs.ErrNotDirectory), errors.Is(err, rootfs.ErrArchive):
		return &stages.Error{Kind: stages.Invalid, Err: err}
	}
	return &stages.Error{Kind: stages.Internal, Thing: "container " + ref, Err: err}
}

// StatPath tells of a path in a container.
func (e *Engine) StatPath(ctx context.Context, ref, path string) (s rootfs.Stat, err error) {
	err = e.withRoot(ctx, ref, func(root *rootfs.Root, _ store.Record) error {
		s, err = root.Stat(path)
		return err
	})
	return s, err
}

// CopyOut writes a path of a container as a tar. begin is called with what the path is before the first byte; it returns where to write.
func (e *Engine) CopyOut(ctx context.Context, ref, path string, begin func(rootfs.Stat) io.Writer) error {
	return e.withRoot(ctx, ref, func(root *rootfs.Root, rec store.Record) error {
		s, err := root.Stat(path)
		if err != nil {
			return err
		}
		e.events.container(events.ActionArchivePath, rec)
		return root.Archive(ctx, path, begin(s))
	})
}

// A CopyIn is one archive for a directory of a container.
type CopyIn struct {
	Path      string
	Archive   io.Reader
	KeepKinds bool // a directory is not replaced by a file, nor the other way
	Owner     bool // everything is given to the container's user
}

// CopyIn unpacks an archive into a directory of a container.
func (e *Engine) CopyIn(ctx context.Context, ref string, in CopyIn) error {
	return e.withRoot(ctx, ref, func(root *rootfs.Root, rec store.Record) error {
		if rec.HostConfig.ReadonlyRootfs && !inMount(e, &rec, in.Path) {
			return failure(stages.Denied, "container rootfs is marked read-only")
		}
		o := rootfs.ExtractOptions{KeepKinds: in.KeepKinds}
		if in.Owner && rec.Config.User != "" {
			user, err := spec.ResolveUser(rec.Config.User, nil, root.Read)
			if err != nil {
				return err
			}
			o.Owner = &rootfs.Owner{UID: int(user.UID), GID: int(user.GID)}
		}
		e.events.container(events.ActionExtractToDir, rec)
		return root.Extract(ctx, in.Path, in.Archive, o)
	})
}

// inMount reports whether a path is, by its words, on something mounted that can be written.
func inMount(e *Engine, rec *store.Record, path string) bool {
	points, err := e.points(rec)
	for _, p := range points {
		if rel, relErr := filepath.Rel(p.Destination, filepath.Clean("/"+path)); relErr == nil && filepath.IsLocal(rel) && p.RW {
			return true
		}
	}
	return err != nil
}

// Export writes the container's own files, without what is mounted on them, as a tar.
func (e *Engine) Export(ctx context.Context, ref string, begin func() io.Writer) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	c.op.Lock()
	unlock := c.op.Unlock
	defer func() { unlock() }()
	rec := c.Record()
	var root *rootfs.Root
	if rec.State.Status == container.StateRunning || rec.State.Status == container.StatePaused {
		if root, err = e.runningRoot(c, rootfs.Alone); err == nil {
			unlock()
			unlock = func() {}
		}
	} else {
		root, err = e.stoppedRoot(ctx, rec, false)
	}
	if err != nil {
		return err
	}
	defer root.Close()
	e.events.container(events.ActionExport, rec)
	return fileError(ref, root.Export(ctx, begin()))
}
