package collect

import (
	"log/slog"
	"time"

	"hull/stages"
	"hull/trace/model"
)

// When a trace is complete. All of it is state but the quiet periods, which are bounds: packets may be under way that nobody can count.
const (
	quiet      = 40 * time.Millisecond // after everything that is known to be missing has come
	quietShort = 1 * time.Second       // when the container is gone, but processes live on or parents are missing
	showWait   = 2 * quietShort        // for a trace that is about to be complete, when somebody wants to see it
	tick       = 10 * time.Millisecond
	tickIdle   = time.Second // while the client is there
)

// leave notes that the client leaves now. It reports whether the container goes on without it.
func (c *collector) leave(r *run) (detached bool) {
	c.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.left == 0 {
		r.left = time.Now().UnixNano()
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	if !c.goesOn(r) {
		return false
	}
	c.quiesce()
	c.save(r)
	return true
}

// ending reports whether the run is over, and only its completion is waited for.
func (c *collector) ending(r *run) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.left != 0 && r.ended == 0 && !c.goesOn(r)
}

// goesOn reports whether the container is alive: by the kernel, or without it by what the programs have claimed.
func (c *collector) goesOn(r *run) bool {
	if r.handle != 0 {
		return r.target.init.PID != 0 && r.alive[r.target.init]
	}
	started, ended := false, false
	for _, s := range r.spans {
		switch id, _ := stages.Lookup(s.Name); id {
		case stages.RuncStart:
			started = true
		case stages.ShimReap, stages.ShimExitRecord, stages.DaemonExitObserve, stages.RuncDelete:
			ended = true
		}
	}
	return started && !ended
}

// complete decides by what is known; since is how long nothing has come.
func (c *collector) complete(r *run, since time.Duration) bool {
	switch {
	case r.left == 0 || c.goesOn(r) || since < showWait && c.spans.unread():
		return false
	case r.othersAlive() == 0 && missing(r.spans) == 0 && (r.handle != 0 || since >= 5*quiet):
		return since >= quiet
	}
	return since >= quietShort
}

// othersAlive counts the run's processes but the client: the kernel has seen them start and not end.
func (r *run) othersAlive() (n int) {
	for p, alive := range r.alive {
		if alive && p.PID != r.client {
			n++
		}
	}
	return n
}

// finishWhenComplete waits for the trace's end and writes it.
func (c *collector) finishWhenComplete(r *run) {
	for {
		c.mu.Lock()
		if r.left == 0 && r.clientGone() {
			r.left = time.Now().UnixNano() // it left without a word
		}
		if c.complete(r, time.Since(r.last)) {
			c.finish(r)
			c.mu.Unlock()
			return
		}
		wait := tickIdle
		if r.left != 0 && !c.goesOn(r) {
			wait = tick
		}
		wake := r.wake
		c.mu.Unlock()
		select {
		case <-time.After(wait):
		case <-wake:
		}
		if wait == tick {
			c.settle() // system calls are not told of one by one
		}
	}
}

// clientGone asks /proc: with a kernel side the exit event has come as well.
func (r *run) clientGone() bool {
	if r.client == 0 {
		return false
	}
	for p := range r.before {
		if p.PID == r.client {
			return startOf(p.PID) != p.Start
		}
	}
	return true
}

// finish closes the run: what the kernel still holds of it, the last look, the file.
func (c *collector) finish(r *run) {
	c.lookAtExit(r, model.Proc{})
	c.lookAtObserved(r)
	r.ended = time.Now().UnixNano()
	for _, s := range r.spans {
		delete(c.marks, s.ID)
	}
	if r.handle == 0 || !r.clientAlive() {
		c.forget(r, c.save(r))
	} else {
		c.quiesce()
		c.save(r)
		c.crowd()
	}
	close(r.done)
}

// clientAlive reports whether the kernel has not seen the client end: it asked for the trace's end, and shows it before it leaves.
func (r *run) clientAlive() bool {
	for p, alive := range r.alive {
		if alive && p.PID == r.client {
			return true
		}
	}
	return false
}

// last takes what still comes of a run that is complete but for its client's exit: nothing but that.
func (c *collector) last(r *run, e event) {
	if e.Kind == stages.EventExit && e.Proc.PID == r.client {
		r.addEvent(e)
		c.forget(r, c.save(r))
	}
}

// maxLasting bounds the complete traces that wait for their client's exit: a client may live as long as it likes.
const maxLasting = 16

// crowd forgets the one that has waited longest if there are too many.
func (c *collector) crowd() {
	var first *run
	n := 0
	for _, r := range c.runs {
		if r.ended != 0 {
			if n++; first == nil || r.ended < first.ended {
				first = r
			}
		}
	}
	if n > maxLasting {
		if t, err := c.store.load(first.id); err == nil {
			c.forget(first, t)
		}
	}
}

// forget takes a complete run out of the kernel and out of the collector. From here on the stored trace is all there is.
func (c *collector) forget(r *run, t *model.Trace) {
	c.endKernel(r)
	delete(c.runs, r.id)
	if c.push != nil {
		c.push.take(t)
	}
}

func (c *collector) save(r *run) *model.Trace {
	t := build(r, c.lostOf(r))
	if err := c.store.save(t, r.owner); err != nil {
		slog.Error("trace not saved", "trace", r.id, "err", err)
	}
	return t
}
