// Package engine is what hulld does: one use case per file, each a readable list of steps.
//
// It is called by daemon/server. It reaches a container only through containerd's gRPC: it starts no process and has no child. It mounts
// nothing but the memory that several containers share (shm.go) and, seen by nobody, a stopped one's root (daemon/rootfs). What it knows of a container is in daemon/store, and outlives it.
//
// Locking: Container.op is held through one use case (start, exit, remove, rename), so that two clients' requests to one container come one
// after the other; Container.mu guards its fields and is never held during a call. No lock is shared by two containers during a call.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"hull/daemon/containerd"
	"hull/daemon/hulltrace"
	"hull/daemon/image"
	"hull/daemon/network"
	"hull/daemon/store"
	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
	"golang.org/x/sys/unix"
)

// ErrNotModified means that the container is already as it was asked to be: HTTP 304.
var ErrNotModified = errors.New("not modified")

// deadline bounds what the daemon does for one request once it cannot turn back: a client that goes away does not leave it half done.
const deadline = 2 * time.Minute

// An Engine is the containers of one instance.
type Engine struct {
	inst     instance.Instance
	ctd      *containerd.Client
	images   *image.Images
	store    *store.Store
	net      *network.Bridge
	registry *registry
	execs    *execs
	events   *Events
	tracing  tracing
	runtime  Runtime
}

// Runtime says which shim containerd starts, and which program writes the logs (docs/seams.md, section 2).
type Runtime struct {
	Name   string // such as io.containerd.hull.v2
	Logger string // absolute path of hull-shim
	Init   string // absolute path of hull-init
}

// check refuses the name of a runtime that is not there, and --init where its program is missing. The runtime that is has the shim's name.
func (r Runtime) check(h *container.HostConfig) error {
	if h.Runtime != "" && h.Runtime != r.Name {
		return failure(stages.Invalid, "unknown or invalid runtime name: %s", h.Runtime)
	}
	if h.Init != nil && *h.Init {
		if err := unix.Access(r.Init, unix.X_OK); err != nil {
			if errors.Is(err, unix.ENOENT) { // the errno's words say to docker's client that the container's program is missing: 127
				err = errors.New("the program is missing")
			}
			return &stages.Error{Kind: stages.NotFound, Thing: r.Init, Err: err, Hint: "hull's binaries belong into one directory"}
		}
	}
	return nil
}

// tracing is where a run's spans go and who records the kernel's side.
type tracing struct {
	rec  *span.Recorder
	hull *hulltrace.Client
}

// New makes an engine without containers; Restore finds them.
func New(inst instance.Instance, ctd *containerd.Client, st *store.Store, net *network.Bridge, rt Runtime, rec *span.Recorder, traces *hulltrace.Client) *Engine {
	return &Engine{
		inst: inst, ctd: ctd, images: image.New(ctd), store: st, net: net, registry: newRegistry(), execs: newExecs(), events: newEvents(), runtime: rt,
		tracing: tracing{rec, traces},
	}
}

// Images are the instance's images.
func (e *Engine) Images() *image.Images { return e.images }

// Events is the instance's stream of events.
func (e *Engine) Events() *Events { return e.events }

// Runtime is what containers are run by.
func (e *Engine) Runtime() Runtime { return e.runtime }

// join puts the caller into the container's trace, unless it brought one of its own.
func (e *Engine) join(ctx context.Context, c *Container) context.Context {
	if span.Current(ctx).Valid() {
		return ctx
	}
	return e.tracing.rec.Join(ctx, span.Parse(c.Record().TraceParent))
}

// detached is ctx for work that must be finished even if the client leaves.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return span.Limit(context.WithoutCancel(ctx), deadline)
}

func failure(kind stages.Kind, format string, args ...any) error {
	return &stages.Error{Kind: kind, Err: errorf(format, args...)}
}

func logError(text string, id string, err error) {
	if err != nil {
		slog.Error(text, stages.AttrContainer, id, "error", err.Error())
	}
}
