package engine

import (
	"context"
	"slices"

	"hull/daemon/layers"
	"hull/daemon/store"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
)

// Changes lists what a container changed in its file system: what is in its own layer, which needs no mount to be read.
func (e *Engine) Changes(ctx context.Context, ref string) ([]container.FilesystemChange, error) {
	c, err := e.registry.find(ref)
	if err != nil {
		return nil, err
	}
	rec := c.Record()
	mounts, err := e.ctd.SnapshotMounts(ctx, rec.ID)
	if err != nil {
		return nil, err
	}
	stack, err := layers.Open(mounts)
	if err != nil {
		return nil, &stages.Error{Thing: rec.ID[:12], Err: err, Hint: "containerd must be on this machine"}
	}
	defer stack.Close()
	skip, err := e.madeByRuntime(&rec)
	if err != nil {
		return nil, err
	}
	found, err := stack.Changes(skip)
	if err != nil {
		return nil, &stages.Error{Thing: rec.ID[:12], Err: err}
	}
	changes := []container.FilesystemChange{}
	for _, f := range found {
		changes = append(changes, container.FilesystemChange{Path: f.Path, Kind: container.ChangeType(f.Kind)})
	}
	return changes, nil
}

// madeByRuntime tells the places that exist because something is mounted there.
func (e *Engine) madeByRuntime(rec *store.Record) (func(string) bool, error) {
	places := []string{"/dev", "/proc", "/sys", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/console", "/sys/fs/cgroup", "/etc/mtab", "/.dockerenv"}
	binds, err := e.binds(rec)
	if err != nil {
		return nil, err
	}
	for _, b := range binds {
		places = append(places, b.Target)
	}
	return func(p string) bool { return slices.Contains(places, p) }, nil
}
