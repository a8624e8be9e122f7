package engine

import (
	"context"
	"log/slog"
	"time"

	"hull/daemon/store"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Docker's back-off (moby, daemon/internal/restartmanager): the wait before a restart doubles each time, and begins anew after a run that lasted.
const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = time.Minute
	longRun      = 10 * time.Second
)

// again is what a container's restart policy remembers while the daemon lives. Container.mu guards it.
type again struct {
	halted  bool          // somebody has stopped it: no restart before the next start
	backoff time.Duration // the last wait
	timer   *time.Timer   // the wait that is going on
}

// wantsAgain is docker's rule for a run that has ended by itself.
func wantsAgain(r *store.Record) bool {
	switch p := r.HostConfig.RestartPolicy; p.Name {
	case container.RestartPolicyAlways:
		return true
	case container.RestartPolicyUnlessStopped:
		return !r.ManuallyStopped
	case container.RestartPolicyOnFailure:
		return r.State.ExitCode != 0 && (p.MaximumRetryCount == 0 || r.RestartCount < p.MaximumRetryCount)
	}
	return false
}

func hasPolicy(r *store.Record) bool { return !r.HostConfig.RestartPolicy.IsNone() }

// decideAgain turns the record of an ended run into one that waits for its restart, if the policy wants that and nobody has stopped it.
func (c *Container) decideAgain(r *store.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.State.Status == container.StateExited && !c.again.halted && wantsAgain(r) {
		r.State.Status = container.StateRestarting
		r.RestartCount++
	}
}

// scheduleAgain starts the container after its back-off. lasted is how long the run was. The timer is all that waits: a stop takes it away.
func (e *Engine) scheduleAgain(c *Container, lasted time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.again.backoff == 0 || lasted >= longRun:
		c.again.backoff = firstBackoff
	default:
		c.again.backoff = min(2*c.again.backoff, maxBackoff)
	}
	c.again.timer = time.AfterFunc(c.again.backoff, func() { e.startAgain(c) })
}

func (e *Engine) startAgain(c *Container) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	c.op.Lock()
	defer c.op.Unlock()
	if c.isGone() || c.Record().State.Status != container.StateRestarting {
		return
	}
	if err := e.start(ctx, c); err != nil {
		slog.Error("restart", stages.AttrContainer, c.ID, "error", err.Error())
	}
}

// halt says that the container's end is wanted: it is not started again. byUser is remembered beyond this daemon (unless-stopped). It reports
// whether the container was waiting for its restart, and then it has ended for good. It needs c.op.
func (e *Engine) halt(c *Container, byUser bool) (waited bool, err error) {
	rec := c.Record()
	if !hasPolicy(&rec) && rec.State.Status != container.StateRestarting {
		return false, nil
	}
	c.mu.Lock()
	c.again.halted = true
	if c.again.timer != nil {
		c.again.timer.Stop()
	}
	c.mu.Unlock()
	waited = rec.State.Status == container.StateRestarting
	if !waited && (!byUser || rec.ManuallyStopped) {
		return false, nil
	}
	return waited, e.change(c, func(r *store.Record) {
		r.ManuallyStopped = r.ManuallyStopped || byUser
		if waited {
			r.State.Status = container.StateExited
		}
	})
}

// haltRestarting is halt for those who do not hold c.op. A container that waited for its restart is told to have stopped.
func (e *Engine) haltRestarting(c *Container, byUser bool) (waited bool, err error) {
	c.op.Lock()
	defer c.op.Unlock()
	waited, err = e.halt(c, byUser)
	if waited && err == nil {
		rec := c.Record()
		c.ended(rec.State.ExitCode, "")
		e.events.container(events.ActionStop, rec)
	}
	return waited, err
}

// startRestored starts what an earlier daemon would have started: containers that waited for it, and those whose policy holds over a
// restart of the daemon.
func (e *Engine) startRestored(ctx context.Context) {
	for _, c := range e.registry.all() {
		c.op.Lock()
		rec := c.Record()
		if ctx.Err() == nil && !rec.State.StartedAt.IsZero() && rec.State.Status == container.StateExited && wantsAgain(&rec) {
			logError("restart", c.ID, e.change(c, func(r *store.Record) { r.State.Status = container.StateRestarting }))
		}
		if c.Record().State.Status == container.StateRestarting {
			c.mu.Lock()
			idle := c.again.timer == nil
			c.mu.Unlock()
			if idle {
				e.scheduleAgain(c, 0)
			}
		}
		c.op.Unlock()
	}
}
