package engine

import (
	"context"
	"log/slog"
	"os"
	"time"

	"hull/daemon/containerd"
	"hull/daemon/store"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// lostCode is the exit code of a container that ended while nobody could see it: docker's 255, never a success.
const lostCode = 255

// Run listens for exits until ctx ends, through every restart of containerd. opened is called each time the subscription stands and every
// container that was believed to be running has been asked for.
func (e *Engine) Run(ctx context.Context, opened func()) {
	for {
		err := e.ctd.Exits(ctx, func() {
			go func() { e.reconcile(ctx); opened() }()
		}, func(x containerd.Exit) {
			if c, err := e.registry.find(x.ID); err == nil {
				go e.exited(ctx, c, x)
			}
		}, e.oom)
		if ctx.Err() != nil {
			return
		}
		slog.Warn("containerd's events ended; subscribing again", "error", err.Error())
		e.ctd.Ready(ctx) // waits for it to come back
	}
}

func (e *Engine) oom(id string) {
	c, err := e.registry.find(id)
	if err != nil {
		return
	}
	c.mu.Lock()
	c.rec.State.OOMKilled = true // written with the exit
	c.mu.Unlock()
	e.events.container(events.ActionOOM, c.Record())
}

// exited is the end of a run: the true code is taken from containerd, recorded, and told to whoever waits.
func (e *Engine) exited(ctx context.Context, c *Container, x containerd.Exit) {
	c.op.Lock()
	defer c.op.Unlock()
	rec := c.Record()
	if rec.State.Status != container.StateRunning || x.PID != 0 && int(x.PID) != rec.State.PID {
		return // an event of an earlier run, or one that reconcile was faster with
	}
	ctx, sp := span.Start(e.tracing.rec.Join(ctx, c.exitTrace()), stages.DaemonExitObserve)
	defer sp.End(nil)
	sp.Set(stages.AttrContainer, c.ID)

	// Delete returns after the log's last byte is on disk; its code comes from the shim's own record of wait4(2).
	for {
		final, err := e.ctd.DeleteTask(ctx, c.ID)
		if err == nil {
			x.Status, x.At = final.Status, final.At
			break
		}
		if stages.KindOf(err) != stages.Unavailable || ctx.Err() != nil {
			if stages.KindOf(err) != stages.NotFound { // somebody else has deleted it: the event's code is true
				logError("exit: delete task", c.ID, err)
			}
			break
		}
		if _, err := e.ctd.Ready(ctx); err != nil {
			return // the daemon stops; the next one asks again
		}
	}
	e.finish(ctx, c, int(x.Status), "", x.At)
}

// finish records the end of a run and tells it.
func (e *Engine) finish(ctx context.Context, c *Container, code int, text string, at time.Time) {
	if at.IsZero() || at.Unix() <= 0 {
		at = time.Now()
	}
	e.unplugNetwork(c.Record())
	err := e.change(c, func(r *store.Record) {
		r.State.Status, r.State.PID, r.State.ExitCode, r.State.Error, r.State.FinishedAt = container.StateExited, 0, code, text, at.UTC()
		if text != "" {
			r.State.Status = container.StateDead
		}
	})
	if err != nil { // a full disk must not keep clients waiting for ever
		logError("exit: record", c.ID, err)
		c.mu.Lock()
		c.rec.State.Status, c.rec.State.PID, c.rec.State.ExitCode, c.rec.State.FinishedAt = container.StateExited, 0, code, at.UTC()
		c.mu.Unlock()
	}
	rec := c.Record()
	e.events.container(events.ActionDie, rec, "exitCode", exitCode(code))
	attached := c.attachedNow()
	c.closeStreams()
	c.drained(ctx, attached)
	c.ended(code, text)
	e.removeStreams(c.ID)
	e.dropShm(&rec)
	if rec.AutoRemove() {
		logError("exit: remove", c.ID, e.remove(ctx, c))
	} else if rec.TraceOwned {
		e.endTrace(span.Parse(rec.TraceParent).TraceID())
	}
}

func (e *Engine) removeStreams(id string) {
	logError("streams", id, os.RemoveAll(e.streamPaths(id).dir))
}
