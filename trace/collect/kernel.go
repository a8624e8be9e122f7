package collect

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

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
	if r.ended != 0 {
		c.last(r, e)
		return
	}
	if e.Kind == stages.EventReparent {
		// Each of a dying process's threads has remembered the child; the kernel moved it once.
		if r.parent[e.Proc] == e.Parent {
			return
		}
		r.parent[e.Proc] = e.Parent
	}
	r.meet(e)
	if e.Kind == stages.EventExec && e.Traceparent == "" {
		e.Traceparent = r.environ(e)
	}
	r.addEvent(e)
	if e.Kind == stages.EventExec && isDaemon(e.Name) {
		// A daemon that a traced command has started serves other runs as well: it leaves this one.
		c.tracer.Untrack(e.Proc.PID)
		r.alive[e.Proc] = false
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

// environ looks for TRACEPARENT in the environment of a program that does not have it first (dash sorts its environment): the kernel's side reads
// only the head of the block. The process is the run's already, by its parent; what is found is where in the trace it belongs. Processes in a
// container are left alone: what is in their environment is the user's.
func (r *run) environ(e event) string {
	if ns := e.Args["ns.pid"]; ns != "" && ns != homeNamespace() {
		return ""
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", e.Proc.PID)) // proc_pid_environ(5); 0400, the kernel checks ptrace rights
	if err != nil || startOf(e.Proc.PID) != e.Proc.Start {
		return "" // it has ended
	}
	for _, s := range strings.Split(string(text), "\x00") {
		if tp, ok := strings.CutPrefix(s, "TRACEPARENT="); ok && len(tp) == 55 && tp[3:35] == r.id {
			return tp
		}
	}
	return ""
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
