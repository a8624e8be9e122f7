package engine

import (
	"context"
	"errors"
	"time"

	"hull/daemon/store"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Remove takes a container away, with its writable layer and its log. A running one only with force: it is killed first.
func (e *Engine) Remove(ctx context.Context, ref string, force bool) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	ctx, cancel := detached(e.join(ctx, c))
	defer cancel()
	c.mu.Lock()
	if c.removing {
		c.mu.Unlock()
		return failure(stages.Conflict, "removal of container %s is already in progress", c.ID)
	}
	c.removing = true
	c.mu.Unlock()
	defer func() { c.mu.Lock(); c.removing = false; c.mu.Unlock() }()

	if c.active() {
		if !force {
			state := c.Record().State.Status
			return failure(stages.Conflict, "cannot remove container %q: container is %s: stop the container before removing or force remove", "/"+c.Record().Name, state)
		}
		if _, err := e.haltRestarting(c, false); err != nil {
			return err
		}
		if err := e.killAndWait(ctx, c); err != nil {
			return err
		}
	}
	c.op.Lock()
	defer c.op.Unlock()
	switch {
	case c.isGone(): // a --rm container that ended by itself
		return nil
	case c.active(): // somebody started it in between
		return failure(stages.Conflict, "cannot remove container %q: container is running: stop the container before removing or force remove", "/"+c.Record().Name)
	}
	return e.remove(ctx, c)
}

func (e *Engine) killAndWait(ctx context.Context, c *Container) error {
	w, err := e.Wait(context.Background(), c.ID, container.WaitConditionNotRunning)
	if err != nil || w.outcome == nil {
		return err
	}
	if err := e.signal(ctx, c, sigkill); err != nil && stages.KindOf(err) != stages.NotFound {
		return err
	}
	return e.mustEnd(ctx, c, w)
}

// remove needs c.op. Our record goes last, so that a crash in between leaves a container that can be removed again.
func (e *Engine) remove(ctx context.Context, c *Container) error {
	rec := c.Record()
	err := e.ctd.DeleteContainer(ctx, c.ID)
	// A task that containerd was still making when its hulld died: until it is made, or given up, it can be neither killed nor deleted.
	for wait := time.Millisecond; err != nil && stages.KindOf(err) == stages.Conflict && wait < 10*time.Second; wait *= 2 {
		e.dropTask(ctx, c.ID)
		if err = e.ctd.DeleteContainer(ctx, c.ID); err != nil {
			time.Sleep(wait)
		}
	}
	if err := errors.Join(err, e.ctd.RemoveSnapshot(ctx, c.ID)); err != nil {
		return err
	}
	if err := e.store.Delete(&rec); err != nil {
		return err
	}
	e.net.Release(rec.ID, !rec.AutoRemove())
	e.registry.remove(c)
	e.execs.forget(c.ID)
	c.closeStreams()
	e.removeStreams(c.ID)
	e.events.container(events.ActionDestroy, rec)
	c.gone.code, c.gone.text = rec.State.ExitCode, ""
	close(c.gone.done)
	if rec.TraceOwned {
		e.endTrace(span.Parse(rec.TraceParent).TraceID())
	}
	return nil
}

func (c *Container) isGone() bool {
	select {
	case <-c.gone.done:
		return true
	default:
		return false
	}
}

// Rename gives the container another name.
func (e *Engine) Rename(ref, name string) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	c.op.Lock()
	defer c.op.Unlock()
	old := c.Record().Name
	switch {
	case c.isGone():
		return failure(stages.NotFound, "No such container: %s", ref)
	case name == "" || name == "/":
		return failure(stages.Invalid, "Neither old nor new names may be empty")
	case name == old || name == "/"+old:
		return failure(stages.Invalid, "Renaming a container with the same name as its current name")
	}
	taken, err := e.registry.reserve(name, c.ID)
	if err != nil {
		return err
	}
	if err := e.change(c, func(r *store.Record) { r.Name = taken }); err != nil {
		e.registry.release(taken, c.ID)
		return err
	}
	e.registry.release(old, c.ID)
	e.events.container(events.ActionRename, c.Record(), "oldName", "/"+old)
	return nil
}
