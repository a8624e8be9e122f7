package engine

import (
	"context"
	"time"

	"hull/daemon/spec"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"golang.org/x/sys/unix"
)

const (
	sigkill            = uint32(unix.SIGKILL)
	defaultStopTimeout = 10 // seconds, docker's
)

// StopOptions say how a container is made to end.
type StopOptions struct {
	Signal   string // "" for the container's own
	Seconds  *int   // patience; nil for the container's own, negative for ever
	Shutdown bool   // because the instance goes down: a restart policy that is for "unless stopped" still counts
}

// Stop asks the container's program to end and, once the time is over, makes it.
func (e *Engine) Stop(ctx context.Context, ref string, o StopOptions) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(e.join(ctx, c)) // the client may leave: the container is stopped all the same
	rec := c.Record()
	signal := o.Signal
	if signal == "" {
		signal = rec.Config.StopSignal
	}
	sig := uint32(unix.SIGTERM)
	if signal != "" {
		if sig, err = spec.Signal(signal); err != nil {
			return err
		}
	}
	seconds := defaultStopTimeout
	if rec.Config.StopTimeout != nil {
		seconds = *rec.Config.StopTimeout
	}
	if o.Seconds != nil {
		seconds = *o.Seconds
	}
	if waited, err := e.haltRestarting(c, !o.Shutdown); waited || err != nil {
		return err
	}
	w, err := e.Wait(context.Background(), c.ID, container.WaitConditionNotRunning)
	if err != nil {
		return err
	}
	if w.outcome == nil {
		return ErrNotModified
	}
	if err := e.signal(ctx, c, sig); err != nil && stages.KindOf(err) != stages.NotFound {
		return err
	}
	patience := ctx
	if seconds >= 0 {
		var cancel context.CancelFunc
		patience, cancel = context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
		defer cancel()
	}
	if _, _, err := w.Done(patience); err != nil {
		if err := e.signal(ctx, c, sigkill); err != nil && stages.KindOf(err) != stages.NotFound {
			return err
		}
		if err := e.mustEnd(ctx, c, w); err != nil {
			return err
		}
	}
	e.events.container(events.ActionStop, c.Record())
	return nil
}

// mustEnd waits for a container that was sent SIGKILL: only the kernel can still hold it.
func (e *Engine) mustEnd(ctx context.Context, c *Container, w *Waiter) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if _, _, err := w.Done(ctx); err != nil {
		return failure(stages.Internal, "container %s does not end although it was sent SIGKILL", c.ID)
	}
	return nil
}

// Kill sends a signal to the container's first process.
func (e *Engine) Kill(ctx context.Context, ref, signal string) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	sig := sigkill
	if signal != "" {
		if sig, err = spec.Signal(signal); err != nil {
			return err
		}
	}
	if !c.active() {
		return failure(stages.Conflict, "cannot kill container: %s: container %s is not running", ref, c.ID)
	}
	if c.endsWith(sig) {
		if waited, err := e.haltRestarting(c, true); waited || err != nil {
			return err
		}
	}
	err = e.signal(e.join(ctx, c), c, sig)
	if stages.KindOf(err) == stages.NotFound && err != nil {
		return failure(stages.Conflict, "cannot kill container: %s: container %s is not running", ref, c.ID)
	}
	return err
}

// endsWith is docker's rule whether a signal is meant to end the container, so that its restart policy does not bring it back: SIGKILL, its own
// stop signal, or any where it has named none.
func (c *Container) endsWith(sig uint32) bool {
	named := c.Record().Config.StopSignal
	own, err := spec.Signal(named)
	return sig == sigkill || named == "" || err == nil && own == sig
}

func (e *Engine) signal(ctx context.Context, c *Container, sig uint32) error {
	if err := e.ctd.KillTask(ctx, c.ID, sig); err != nil {
		return err
	}
	e.events.container(events.ActionKill, c.Record(), "signal", exitCode(int(sig)))
	return nil
}

// Resize sets the size of the container's terminal, in characters.
func (e *Engine) Resize(ctx context.Context, ref string, width, height uint32) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	if !c.Running() {
		return failure(stages.Conflict, "container %s is not running", c.ID)
	}
	if err := e.ctd.ResizeTerminal(e.join(ctx, c), c.ID, width, height); err != nil {
		return err
	}
	e.events.container(events.ActionResize, c.Record(), "height", exitCode(int(height)), "width", exitCode(int(width)))
	return nil
}
