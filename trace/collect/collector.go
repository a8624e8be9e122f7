package collect

import (
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"hull/stages"
	"hull/stages/instance"
	"hull/trace/bpf"
	"hull/trace/model"
)

// A collector holds the runs that are being traced. Everything in it is under mu; the kernel's events come in on one goroutine, spans on one
// per connection, requests on one each.
type collector struct {
	inst   instance.Instance
	store  *store
	push   *pusher // nil without --otlp
	tracer *bpf.Tracer
	reason string // why there is no tracer

	spans sockets // where finished spans come from

	mu      sync.Mutex
	runs    map[string]*run // by trace id
	handles map[uint64]*run
	next    uint64
	marks   map[string]*run // span ids that have come, by which a marked thread's events are found
	strays  []event         // events of marked threads whose span has not come yet
	flushed chan struct{}   // closed when the ring is known to be empty; nil if nobody asked
}

// maxRuns bounds the traces that go on at once; the kernel's maps have as many places.
const maxRuns = 512

func newCollector(inst instance.Instance, st *store, push *pusher) *collector {
	return &collector{inst: inst, store: st, push: push, runs: map[string]*run{}, handles: map[uint64]*run{}, marks: map[string]*run{}}
}

// begin starts a trace. With a tracer, events of pid (0: none) and of everything it starts are in it from now on.
func (c *collector) begin(id string, pid int, command []string, owner uint32) (*run, error) {
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 || strings.ToLower(id) != id {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: id, Err: errors.New("a trace id is 32 lower-case hex digits")}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs[id] != nil || c.store.has(id) {
		return nil, &stages.Error{Kind: stages.Conflict, Thing: id, Err: errors.New("this trace exists")}
	}
	if len(c.runs) >= maxRuns {
		return nil, &stages.Error{Kind: stages.Exhausted, Thing: id, Err: errors.New("too many traces at once")}
	}
	r := &run{
		id: id, owner: owner, command: command, client: pid, started: time.Now().UnixNano(), last: time.Now(), done: make(chan struct{}), wake: make(chan struct{}, 1),
		before: map[model.Proc]model.Process{}, seen: map[model.Proc]bool{}, parent: map[model.Proc]model.Proc{}, alive: map[model.Proc]bool{},
	}
	r.snapshot(pid)
	if c.tracer == nil {
		r.note("kernel rows absent: " + c.reason)
	} else if err := c.beginKernel(r, pid); err != nil {
		r.note("kernel rows absent: " + err.Error())
	}
	c.runs[id] = r
	go c.finishWhenComplete(r)
	return r, nil
}

func (c *collector) beginKernel(r *run, pid int) error {
	if err := c.tracer.Syscalls(true); err != nil {
		return err
	}
	c.next++
	if err := c.tracer.Begin(r.id, c.next); err != nil {
		return err
	}
	r.handle = c.next
	c.handles[r.handle] = r
	if pid != 0 {
		return c.tracer.Track(pid, r.handle, false)
	}
	return nil
}

// endKernel takes the run out of the kernel; the last one takes the programs on system calls along.
func (c *collector) endKernel(r *run) {
	if r.handle == 0 {
		return
	}
	r.lost.Events += c.tracer.End(r.id, r.handle)
	delete(c.handles, r.handle)
	r.handle = 0
	c.quiesce()
}

// linger is how long the programs on system calls stay when no run needs them any more: nobody has to wait for their going, and the next run
// often follows at once.
const linger = 300 * time.Millisecond

// quiesce detaches the programs on system calls, soon, if by then no run needs them: all that go on are detached containers that only live.
func (c *collector) quiesce() {
	time.AfterFunc(linger, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, r := range c.handles {
			if r.left == 0 {
				return
			}
		}
		if c.tracer != nil {
			c.tracer.Syscalls(false)
		}
	})
}

// find is the run or the stored trace that ref means: an id, a unique prefix, a container's id, or "last".
func (c *collector) find(ref string, uid uint32) (*model.Trace, *run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*run
	for _, r := range c.runs {
		if r.ended == 0 && (uid == 0 || uid == r.owner) && (ref == "last" || strings.HasPrefix(r.id, ref) || isContainer(r.container, ref)) {
			found = append(found, r)
		}
	}
	// A detached container's trace is stored when its client leaves, and goes on: what goes on answers.
	stored := slices.DeleteFunc(c.store.find(ref, uid), func(e entry) bool { return c.open(e.ID) })
	if ref == "last" {
		var last *run
		for _, r := range found {
			if last == nil || r.started > last.started {
				last = r
			}
		}
		if last != nil && (len(stored) == 0 || last.started > stored[0].Start) {
			return build(last, c.lostOf(last)), last, nil
		}
		found, stored = nil, stored[:min(1, len(stored))]
	}
	switch {
	case len(found)+len(stored) == 0:
		return nil, nil, &stages.Error{Kind: stages.NotFound, Thing: ref, Err: errors.New("no such trace"), Hint: "hull trace ls"}
	case len(found)+len(stored) > 1:
		return nil, nil, &stages.Error{Kind: stages.Conflict, Thing: ref, Err: errors.New("more than one trace begins so")}
	case len(found) == 1:
		return build(found[0], c.lostOf(found[0])), found[0], nil
	}
	t, err := c.store.load(stored[0].ID)
	return t, nil, err
}

// open reports whether a trace goes on: what is stored of it, if anything, is not all.
func (c *collector) open(id string) bool { return c.runs[id] != nil && c.runs[id].ended == 0 }

// shortID is how much of a container's id every listing shows.
const shortID = 12

// isContainer reports whether ref is the container's id, or as much of it as is commonly written.
func isContainer(id, ref string) bool {
	return id != "" && len(ref) >= shortID && strings.HasPrefix(id, ref)
}

func (c *collector) lostOf(r *run) uint64 {
	if r.handle == 0 {
		return 0
	}
	return c.tracer.Lost(r.handle)
}

// close writes what goes on as it stands: a later hull-trace reads it, marked as cut off.
func (c *collector) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.runs {
		if r.ended != 0 {
			continue
		}
		r.note("hull-trace was stopped while the run went on")
		if err := c.store.save(build(r, c.lostOf(r)), r.owner); err != nil {
			slog.Error("trace not saved", "trace", r.id, "err", err)
		}
	}
	if c.tracer != nil {
		c.tracer.Close()
	}
}
