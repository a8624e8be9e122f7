package engine

import (
	"context"
	"errors"

	"github.com/moby/moby/api/types/events"
)

// Restart stops the container, if it runs, and starts it. One with --rm is not removed in between.
func (e *Engine) Restart(ctx context.Context, ref string, o StopOptions) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	c.keep.Add(1)
	defer c.keep.Add(-1)
	o.Shutdown = true // it is not the user's wish that it stays stopped
	if err := e.Stop(ctx, c.ID, o); err != nil && !errors.Is(err, ErrNotModified) {
		return err
	}
	if err := e.Start(ctx, c.ID); err != nil && !errors.Is(err, ErrNotModified) {
		return err
	}
	e.events.container(events.ActionRestart, c.Record())
	return nil
}
