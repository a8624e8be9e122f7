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

// Stop asks the container's program to end and, once timeout seconds are over, makes it. A nil timeout is the container's own; a negative one
// waits for ever. signal "" is the container's own.
func (e *Engine) Stop(ctx context.Context, ref string, timeout *int, signal string) error {
	c, err := e.registry.find(ref)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(e.join(ctx, c)) // the client may leave: the container is stopped all the same
	rec := c.Record()
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
	if timeout != nil {
		seconds = *timeout
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
	if !c.Running() {
		return failure(stages.Conflict, "cannot kill container: %s: container %s is not running", ref, c.ID)
	}
	err = e.signal(e.join(ctx, c), c, sig)
	if stages.KindOf(err) == stages.NotFound && err != nil {
		return failure(stages.Conflict, "cannot kill container: %s: container %s is not running", ref, c.ID)
	}
	return err
}

func (e *Engine) signal(ctx context.Context, c *Container, sig uint32) error {
	if err := e.ctd.KillTask(ctx, c.ID, sig); err != nil {
		return err
	}
	if sig == sigkill || sig == c.stopSignal() {
		e.thawed(ctx, c, sig)
	}
	e.events.container(events.ActionKill, c.Record(), "signal", exitCode(int(sig)))
	return nil
}

// stopSignal is the one that asks this container to end.
func (c *Container) stopSignal() uint32 {
	if name := c.Record().Config.StopSignal; name != "" {
		if sig, err := spec.Signal(name); err == nil {
			return sig
		}
	}
	return uint32(unix.SIGTERM)
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
