package engine

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"hull/daemon/containerd"
	"hull/daemon/store"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
)

// Restore makes the containers of an earlier daemon known again. What became of them meanwhile is asked in reconcile, once exits are
// being listened for.
func (e *Engine) Restore() error {
	all, swept, err := e.store.Load()
	if err != nil {
		return err
	}
	for _, text := range swept {
		slog.Warn("a directory without a whole record was removed", "directory", text)
	}
	for _, rec := range all {
		c := newContainer(rec)
		e.registry.add(c)
		if rec.Network != nil {
			e.net.Reserve(rec.ID, *rec.Network)
		}
		if rec.State.Status == container.StateRunning {
			c.startStreams()
			if rec.Network != nil {
				e.net.Adopt(rec.ID, *rec.Network)
			}
		}
	}
	return nil
}

// reconcile asks containerd about every container that is believed to run: exits that nobody listened for are found here.
func (e *Engine) reconcile(ctx context.Context) {
	var wg sync.WaitGroup
	for _, c := range e.registry.all() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			e.reconcileOne(ctx, c)
		}()
	}
	wg.Wait()
}

func (e *Engine) reconcileOne(ctx context.Context, c *Container) {
	c.op.Lock()
	rec := c.Record()
	ctx, sp := span.Start(e.tracing.rec.Join(ctx, span.Parse(rec.TraceParent)), stages.DaemonRestore)
	sp.Set(stages.AttrContainer, c.ID)
	defer sp.End(nil)
	if rec.State.Status != container.StateRunning {
		e.settle(ctx, c, rec)
		c.op.Unlock()
		return
	}
	alive, started, pid, err := e.ctd.TaskState(ctx, c.ID)
	switch {
	case err == nil && alive && started:
		c.op.Unlock()
	case err == nil && !alive:
		c.op.Unlock()
		e.exited(ctx, c, containerd.Exit{ID: c.ID, PID: pid})
	case err == nil || stages.KindOf(err) == stages.NotFound:
		e.dropTask(ctx, c.ID)
		e.finish(ctx, c, lostCode, "the container's task is lost: it ended while nobody watched", time.Now())
		c.op.Unlock()
	default:
		c.op.Unlock()
		logError("restore", c.ID, err) // containerd went away again; the next subscription asks again
	}
}

// settle clears up after a daemon that died inside a start or between an exit and the removal of a --rm container.
func (e *Engine) settle(ctx context.Context, c *Container, rec store.Record) {
	if c.isGone() {
		return
	}
	if _, _, _, err := e.ctd.TaskState(ctx, c.ID); err == nil {
		e.dropTask(ctx, c.ID)
	}
	e.dropShm(&rec)
	if rec.AutoRemove() && rec.State.Status != container.StateCreated {
		logError("restore: remove", c.ID, e.remove(ctx, c))
	}
}

// Sweep removes what containerd has of this instance and the daemon has no record of: a create that was never answered. It must not run
// beside a create.
func (e *Engine) Sweep(ctx context.Context) {
	ids, err := e.ctd.ContainersOf(ctx, e.inst.Hash())
	if err != nil {
		logError("restore: list containers", "", err)
		return
	}
	for _, id := range ids {
		if _, err := e.registry.find(id); err == nil {
			continue
		}
		slog.Warn("a container without a record is removed", stages.AttrContainer, id)
		e.dropTask(ctx, id)
		logError("sweep: container", id, e.ctd.DeleteContainer(ctx, id))
		logError("sweep: snapshot", id, e.ctd.RemoveSnapshot(ctx, id))
	}
	entries, _ := os.ReadDir(e.inst.Streams())
	for _, entry := range entries {
		if _, err := e.registry.find(entry.Name()); err != nil {
			e.removeStreams(entry.Name())
		}
	}
	e.net.Sweep(ctx)
}
