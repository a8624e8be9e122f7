package engine

import (
	"context"
	"time"

	"hull/daemon/containerd"
	"hull/daemon/network"
	"hull/daemon/store"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Start runs the container's program. It is two calls to containerd with the streams put in place between them: after the first the
// process exists and waits, after the second the program runs. A failed start leaves no process, and of a --rm container nothing.
func (e *Engine) Start(ctx context.Context, ref string) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	ctx, cancel := detached(e.join(ctx, c))
	defer cancel()
	c.op.Lock()
	defer c.op.Unlock()
	switch {
	case c.isGone():
		return failure(stages.NotFound, "No such container: %s", ref)
	case c.active():
		return ErrNotModified
	}
	c.mu.Lock()
	c.again = again{}
	c.rec.RestartCount, c.rec.ManuallyStopped = 0, false // written with the start
	c.mu.Unlock()
	return e.start(ctx, c)
}

// start needs c.op.
func (e *Engine) start(ctx context.Context, c *Container) error {
	pid, place, err := e.run(ctx, c)
	if err != nil {
		e.startFailed(ctx, c, err)
		return err
	}
	err = e.change(c, func(r *store.Record) {
		r.State = store.State{Status: container.StateRunning, PID: pid, PIDStart: startTime(pid), StartedAt: time.Now().UTC()}
		r.Network = place
	})
	if err != nil {
		e.startFailed(ctx, c, err)
		return err
	}
	c.startStreams()
	e.events.container(events.ActionStart, c.Record())
	return nil
}

func (e *Engine) run(ctx context.Context, c *Container) (pid int, place *network.Endpoint, err error) {
	rec := c.Record()
	donors, err := e.joinNamespaces(ctx, &rec)
	if err != nil {
		return 0, nil, err
	}
	if err := e.makeShm(&rec); err != nil {
		return 0, nil, err
	}
	paths, err := e.makeStreams(c.ID, rec.Config.OpenStdin)
	if err != nil {
		return 0, nil, &stages.Error{Step: stages.DaemonTaskCreate, Thing: paths.dir, Err: err}
	}
	if place, err = e.plugNetwork(ctx, rec); err != nil {
		return 0, nil, err
	}
	waiting, err := e.createTask(ctx, rec, paths)
	if err != nil {
		return 0, nil, err
	}
	if place != nil {
		if err := e.net.Settle(c.ID, waiting); err != nil {
			return 0, nil, err
		}
	}
	if err := donors.still(); err != nil {
		return 0, nil, err
	}
	if err := e.openStreams(ctx, c); err != nil {
		return 0, nil, err
	}
	pid, err = e.startTask(ctx, c.ID)
	return pid, place, err
}

func (e *Engine) createTask(ctx context.Context, rec store.Record, paths streamPaths) (pid int, err error) {
	ctx, sp := span.Start(ctx, stages.DaemonTaskCreate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return 0, err
	}
	mounts, err := e.ctd.SnapshotMounts(ctx, rec.ID)
	if err != nil {
		return 0, err
	}
	t := containerd.Task{ID: rec.ID, Rootfs: mounts, Stdin: paths.stdin, Stdout: paths.stdout, Stderr: paths.stdout, Terminal: rec.Config.Tty}
	if rec.Config.Tty {
		t.Stderr = ""
	}
	p, err := e.ctd.CreateTask(ctx, t)
	return int(p), err
}

func (e *Engine) startTask(ctx context.Context, id string) (pid int, err error) {
	ctx, sp := span.Start(ctx, stages.DaemonTaskStart)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return pid, err
	}
	p, err := e.ctd.StartTask(ctx, id)
	return int(p), err
}

// startFailed takes back what the start has made, and keeps its reason where inspect finds it.
func (e *Engine) startFailed(ctx context.Context, c *Container, cause error) {
	e.dropTask(ctx, c.ID)
	e.unplugNetwork(c.Record())
	code := stages.KindOf(cause).Exit()
	logError("start: record", c.ID, e.change(c, func(r *store.Record) {
		before := r.State
		r.State = store.State{Status: container.StateCreated, ExitCode: code, Error: cause.Error(), StartedAt: before.StartedAt, FinishedAt: before.FinishedAt}
		if !before.StartedAt.IsZero() {
			r.State.Status = container.StateExited
		}
	}))
	c.closeStreams()
	e.removeStreams(c.ID)
	rec := c.Record()
	e.dropShm(&rec)
	e.events.container(events.ActionDie, rec, "exitCode", exitCode(code))
	if rec.AutoRemove() {
		logError("start: remove", c.ID, e.remove(ctx, c))
	} else if rec.TraceOwned {
		e.endTrace(span.Parse(rec.TraceParent).TraceID())
	}
}

// dropTask ends a task that must not be there, whatever state it is in.
func (e *Engine) dropTask(ctx context.Context, id string) {
	if _, err := e.ctd.DeleteTask(ctx, id); err == nil || stages.KindOf(err) == stages.NotFound {
		return
	}
	if err := e.ctd.KillTask(ctx, id, sigkill); err != nil && stages.KindOf(err) == stages.NotFound {
		return
	}
	for wait := time.Millisecond; wait < 10*time.Second; wait *= 2 { // until the kernel has taken the process down
		_, err := e.ctd.DeleteTask(ctx, id)
		if err == nil || stages.KindOf(err) == stages.NotFound {
			return
		}
		time.Sleep(wait)
	}
	logError("a task could not be removed", id, failure(stages.Internal, "it does not die"))
}
