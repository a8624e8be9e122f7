package engine

import (
	"fmt"
	"sync"
	"sync/atomic"

	"hull/daemon/store"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
)

// A Container is one container as the daemon knows it.
type Container struct {
	ID string

	op sync.Mutex // one use case at a time; see the package's comment

	mu       sync.Mutex
	rec      store.Record
	next     *outcome // of the run that is going on, or of the next one
	gone     *outcome // of the container: done when it has been removed
	removing bool
	again    again
	waiting  span.Context // the last wait of the container's own trace: learning of the exit is its answer

	keep    atomic.Int32 // a --rm container that is being restarted is not removed
	streams streams
}

// exitTrace is where in the trace the container's exit belongs.
func (c *Container) exitTrace() span.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting.Valid() {
		return c.waiting
	}
	return span.Parse(c.rec.TraceParent)
}

// An outcome is something that waiters wait for.
type outcome struct {
	done chan struct{}
	code int
	text string // what went wrong, if the daemon does not know the code
}

func newOutcome() *outcome { return &outcome{done: make(chan struct{})} }

func newContainer(rec *store.Record) *Container {
	return &Container{ID: rec.ID, rec: *rec, next: newOutcome(), gone: newOutcome()}
}

// Record is a copy of what is known; its Config and HostConfig are never changed after create.
func (c *Container) Record() store.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rec
}

// Running reports whether the container's program runs.
func (c *Container) Running() bool { return c.Record().State.Status == container.StateRunning }

// active reports whether the container runs or is about to run again: docker counts both as running.
func (c *Container) active() bool {
	return c.Running() || c.Record().State.Status == container.StateRestarting
}

// change alters the record in memory and on disk. What could not be written is not in force.
func (e *Engine) change(c *Container, alter func(*store.Record)) error {
	rec := c.Record()
	alter(&rec)
	if err := e.store.Save(&rec); err != nil {
		return &stages.Error{Kind: stages.Internal, Thing: "record of " + c.ID, Err: err}
	}
	c.mu.Lock()
	c.rec = rec
	c.mu.Unlock()
	return nil
}

// ended tells those who wait for the run's end, and opens the next run.
func (c *Container) ended(code int, text string) {
	c.mu.Lock()
	o := c.next
	c.next = newOutcome()
	c.mu.Unlock()
	o.code, o.text = code, text
	close(o.done)
}

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }
