package collect

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"hull/stages"
	"hull/trace/bpf"
	"hull/trace/model"
)

// maxStrays bounds the events of marked threads that wait for their span: a span ends within a request.
const maxStrays = 4096

// readKernel takes events until the tracer is closed.
func (c *collector) readKernel() {
	clk, left := newClock(), 0
	var e bpf.Event
	for {
		err := c.tracer.Read(&e)
		switch {
		case errors.Is(err, bpf.ErrFlushed):
			c.mu.Lock()
			if c.flushed != nil {
				close(c.flushed)
				c.flushed = nil
			}
			c.mu.Unlock()
			continue
		case errors.Is(err, os.ErrClosed):
			return
		case err != nil:
			slog.Error("kernel event", "err", err)
			continue
		}
		if left--; left <= 0 {
			clk, left = newClock(), 256
		}
		c.mu.Lock()
		c.takeEvent(event{e.Kept(), clk.wall(e.Time)})
		c.mu.Unlock()
	}
}

// settle returns when every event that was in the ring at the call has been taken.
func (c *collector) settle() {
	c.mu.Lock()
	if c.tracer == nil {
		c.mu.Unlock()
		return
	}
	done := c.flushed
	if done == nil {
		done = make(chan struct{})
		c.flushed = done
	}
	c.tracer.Flush()
	c.mu.Unlock()
	<-done
}

// takeEvent finds the event's run: by its handle, or by its thread's span.
func (c *collector) takeEvent(e event) {
	r := c.handles[e.Trace]
	if m := c.marks[e.Marker]; m != nil {
		r = m
	}
	if r == nil {
		if e.Marker != "" && e.Trace == 0 {
			if len(c.strays) >= maxStrays {
				c.strays = c.strays[1:]
			}
			c.strays = append(c.strays, e)
		}
		return
	}
	c.give(r, e)
}

func (c *collector) give(r *run, e event) {
	if e.Kind == stages.EventReparent {
		// Each of a dying process's threads has remembered the child; the kernel moved it once.
		if r.parent[e.Proc] == e.Parent {
			return
		}
		r.parent[e.Proc] = e.Parent
	}
	r.meet(e)
	r.addEvent(e)
	if e.Kind == stages.EventExec && isDaemon(e.Name) {
		// A daemon that a traced command has started serves other runs as well: it leaves this one.
		c.tracer.Untrack(e.Proc.PID)
		delete(r.alive, e.Proc)
	}
	if e.Kind == stages.EventExit && e.Proc.PID == r.client && r.left == 0 {
		r.left = e.wall // a client that knows nothing of hull-trace says nothing
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	c.look(r, e)
}

// claimStrays gives the waiting events of marked threads to the runs whose spans have come.
func (c *collector) claimStrays() {
	kept := c.strays[:0]
	for _, e := range c.strays {
		if r := c.marks[e.Marker]; r != nil {
			c.give(r, e)
		} else {
			kept = append(kept, e)
		}
	}
	c.strays = kept
}

func isDaemon(exe string) bool {
	for _, s := range []stages.Stage{stages.Daemon, stages.Containerd} {
		if filepath.Base(exe) == s.Binary() {
			return true
		}
	}
	return exe == "hull-trace"
}

// meet notes who the event's process, and its parent, were before the trace saw anything of them.
func (r *run) meet(e event) {
	switch e.Kind {
	case stages.EventClone:
		r.known(e.Proc)
		r.seen[e.Other] = true
	case stages.EventExec:
		r.seen[e.Proc] = true
	default:
		r.known(e.Proc)
	}
	if e.Parent.PID != 0 {
		r.known(e.Parent)
	}
}

// known reads a process that no event has introduced from /proc.
func (r *run) known(p model.Proc) {
	if !r.seen[p] {
		r.seen[p] = true
		r.before[p] = readProcess(p)
	}
}
