package engine

import (
	"context"

	"hull/daemon/store"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Pause freezes all of the container's processes.
func (e *Engine) Pause(ctx context.Context, ref string) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	ctx, cancel := detached(e.join(ctx, c))
	defer cancel()
	c.op.Lock()
	defer c.op.Unlock()
	switch rec := c.Record(); {
	case rec.State.Status != container.StateRunning:
		return failure(stages.Conflict, "container %s is not running", c.ID)
	case rec.State.Paused:
		return failure(stages.Conflict, "container %s is already paused", c.ID)
	}
	if err := e.ctd.PauseTask(ctx, c.ID); err != nil {
		return failure(stages.KindOf(err), "cannot pause container %s: %w", c.ID, err)
	}
	return e.paused(c, true)
}

// Unpause lets them go on.
func (e *Engine) Unpause(ctx context.Context, ref string) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	ctx, cancel := detached(e.join(ctx, c))
	defer cancel()
	c.op.Lock()
	defer c.op.Unlock()
	if rec := c.Record(); rec.State.Status != container.StateRunning || !rec.State.Paused {
		return failure(stages.Conflict, "container %s is not paused", c.ID)
	}
	if err := e.ctd.ResumeTask(ctx, c.ID); err != nil {
		return failure(stages.KindOf(err), "cannot unpause container %s: %w", c.ID, err)
	}
	return e.paused(c, false)
}

// paused records it. With a record that could not be written the daemon would not know how to let the container go on.
func (e *Engine) paused(c *Container, on bool) error {
	if err := e.change(c, func(r *store.Record) { r.State.Paused = on }); err != nil {
		return err
	}
	action := events.ActionPause
	if !on {
		action = events.ActionUnPause
	}
	e.events.container(action, c.Record())
	return nil
}

// thawed follows a signal that is to end the container: a frozen process takes it only when it runs again, so docker lets it.
func (e *Engine) thawed(ctx context.Context, c *Container, sig uint32) {
	if !c.Record().State.Paused {
		return
	}
	// After SIGKILL there may be nobody left, or the runtime has done it already.
	if err := e.ctd.ResumeTask(ctx, c.ID); err != nil && sig != sigkill && stages.KindOf(err) != stages.NotFound {
		logError("kill: unpause", c.ID, err)
		return
	}
	c.op.Lock()
	defer c.op.Unlock()
	if rec := c.Record(); rec.State.Status == container.StateRunning && rec.State.Paused {
		logError("kill: record", c.ID, e.paused(c, false))
	}
}

// reconcilePause learns whether somebody has paused the container, or let it go on, behind the daemon's back.
func (e *Engine) reconcilePause(ctx context.Context, c *Container) {
	paused, err := e.ctd.TaskPaused(ctx, c.ID)
	if err == nil && paused != c.Record().State.Paused {
		logError("restore: record", c.ID, e.change(c, func(r *store.Record) { r.State.Paused = paused }))
	}
}
