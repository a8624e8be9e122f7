package engine

import (
	"context"

	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
)

// A Waiter is a registered wait: what happens after Wait has returned is not missed.
type Waiter struct {
	container *Container
	outcome   *outcome // nil: it has happened already
	code      int
}

// Wait registers for the container's next exit, for its not running (which may be so already), or for its removal.
func (e *Engine) Wait(ctx context.Context, ref string, condition container.WaitCondition) (*Waiter, error) {
	c, err := e.registry.find(ref)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := span.Current(ctx); at.Valid() && at.Trace == span.Parse(c.rec.TraceParent).Trace {
		c.waiting = at
	}
	w := &Waiter{container: c}
	switch condition {
	case "", container.WaitConditionNotRunning:
		if s := c.rec.State.Status; s == container.StateRunning || s == container.StateRestarting {
			w.outcome = c.next
		}
		w.code = c.rec.State.ExitCode
	case container.WaitConditionNextExit:
		w.outcome = c.next
	case container.WaitConditionRemoved:
		w.outcome = c.gone
	default:
		return nil, failure(stages.Invalid, "invalid condition: %q", condition)
	}
	return w, nil
}

// Done returns how the container ended, or the context's error if the client left first.
func (w *Waiter) Done(ctx context.Context) (code int, text string, err error) {
	if w.outcome == nil {
		return w.code, "", nil
	}
	select {
	case <-w.outcome.done:
		return w.outcome.code, w.outcome.text, nil
	case <-ctx.Done():
		return 0, "", ctx.Err()
	}
}
