package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	shimapi "github.com/containerd/containerd/api/runtime/task/v2"
	apitypes "github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/types/known/anypb"

	"hull/containerd/bundle"
	"hull/containerd/shimproc"
	"hull/stages"
	"hull/trace/span"
)

// An Order is a task to be created: what the container's record and the client's call say together.
type Order struct {
	Namespace, ID         string
	Runtime               string // io.containerd.hull.v2 and the like
	Spec                  []byte // the OCI runtime spec, JSON
	Options               *anypb.Any
	Rootfs                []*apitypes.Mount
	Stdin, Stdout, Stderr string // paths of FIFOs, or URIs (docs/seams.md, section 2)
	Terminal              bool
}

// Create makes a task: a bundle, a shim, and through it the container's first process, which then waits for Start. It returns that
// process's pid. On an error nothing is left.
func (m *Manager) Create(ctx context.Context, o Order) (pid uint32, err error) {
	ctx, sp := span.Start(ctx, stages.ContainerdTaskCreate)
	sp.Set(stages.AttrContainer, o.ID)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return pid, err
	}
	runtime := o.Runtime
	if runtime == "" {
		runtime = shimproc.HullRuntime
	}
	binary, err := m.Shims.Binary(runtime)
	if err != nil {
		return 0, err
	}
	options, err := m.Runtimes.options(runtime, o.Options)
	if err != nil {
		return 0, err
	}
	t, err := m.reserve(name{o.Namespace, o.ID}, span.Current(ctx))
	if err != nil {
		return 0, err
	}
	var undo []func()
	defer func() {
		if err == nil {
			return
		}
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
		m.forget(t)
	}()

	// 1. The bundle.
	if t.bundle, err = m.Bundles.Create(ctx, o.Namespace, o.ID, o.Spec); err != nil {
		return 0, err
	}
	undo = append(undo, func() { discard(t.bundle) })
	t.order = shimproc.Order{Binary: binary, Namespace: o.Namespace, ID: o.ID, Bundle: t.bundle}
	// Whoever finds this bundle after our death must know whom to ask to clean up, and to which run that belongs.
	if err := t.bundle.Write("shim-binary-path", binary); err != nil {
		return 0, t.failed(stages.ContainerdTaskCreate, stages.Internal, err)
	}
	if t.trace.Valid() {
		if err := t.bundle.Write("traceparent", t.trace.String()); err != nil {
			return 0, t.failed(stages.ContainerdTaskCreate, stages.Internal, err)
		}
	}

	// 2. The shim.
	if t.log, err = shimproc.OpenLog(t.bundle, o.ID); err != nil {
		return 0, t.failed(stages.ContainerdTaskCreate, stages.Internal, err)
	}
	undo = append(undo, func() { t.log.Close() })
	undo = append(undo, func() { m.cleanUp(ctx, t) })
	conn, err := m.startShim(ctx, t, options)
	if err != nil {
		return 0, err
	}
	undo = append(undo, func() { endShim(ctx, conn, t.id) })

	// 3. The container, by way of the shim.
	answer, err := conn.Create(ctx, &shimapi.CreateTaskRequest{
		ID: o.ID, Bundle: t.bundle.Dir, Rootfs: o.Rootfs, Terminal: o.Terminal, Stdin: o.Stdin, Stdout: o.Stdout, Stderr: o.Stderr, Options: options,
	})
	if err != nil {
		return 0, fmt.Errorf("failed to create shim task: %w", err)
	}
	if answer.Pid == 0 {
		return 0, t.failed(stages.ContainerdTaskCreate, stages.Internal, errors.New("the shim gave no pid"))
	}
	t.mu.Lock()
	t.init.pid, t.conn, t.ready = answer.Pid, conn, true
	err = t.init.change(Made)
	t.mu.Unlock()
	if err != nil {
		return 0, err
	}
	go m.watch(t, conn)
	return answer.Pid, nil
}

// reserve takes the name.
func (m *Manager) reserve(n name, trace span.Context) (*Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.tasks[n]; old != nil {
		return nil, n.failed(stages.ContainerdTaskCreate, stages.Conflict, fmt.Errorf("already exists and is %s", old.current()))
	}
	t := &Task{name: n, trace: trace, init: newProcess(Absent), execs: map[string]*process{}}
	if err := t.init.change(Begin); err != nil {
		return nil, err
	}
	if m.tasks == nil {
		m.tasks = map[name]*Task{}
	}
	m.tasks[n] = t
	return t, nil
}

// startShim starts the shim and connects to it, both within their limits.
func (m *Manager) startShim(ctx context.Context, t *Task, options *anypb.Any) (*shimproc.Conn, error) {
	address, err := m.Shims.Start(ctx, t.order, options)
	if err != nil {
		return nil, err
	}
	if err := address.Save(t.bundle); err != nil {
		return nil, t.failed(stages.ContainerdShimStart, stages.Internal, err)
	}
	limit, cancel := span.Limit(ctx, shimproc.StartLimit)
	defer cancel()
	conn, err := shimproc.Dial(limit, address)
	if err != nil {
		return nil, t.failed(stages.ContainerdShimStart, stages.Unavailable, fmt.Errorf("the shim does not answer: %w", err))
	}
	return conn, nil
}

// endShim asks a shim to leave and lets go of it.
func endShim(ctx context.Context, conn *shimproc.Conn, id string) {
	ctx, cancel := span.Limit(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if _, err := conn.Shutdown(ctx, &shimapi.ShutdownRequest{ID: id}); err == nil {
		// The socket closes when the process ends: from then on nobody uses the bundle.
		select {
		case <-conn.Closed():
		case <-ctx.Done():
		}
	}
	conn.Close()
}

// cleanUp removes what a shim that is gone, or that never came to be, has left: the container by `SHIM delete`, the serving process by
// the pid it wrote down.
func (m *Manager) cleanUp(ctx context.Context, t *Task) *shimapi.DeleteResponse {
	answer, err := m.Shims.Delete(ctx, t.order)
	if err != nil {
		slog.Warn("cleaning up after a shim", "container", t.id, "namespace", t.namespace, "error", err)
	}
	m.killShim(t.order)
	return answer
}

// killShim ends the serving process of a container's shim, if there still is one. It is known by its command line, which every shim takes
// over from ours; a pid in a file could be another's by now.
func (m *Manager) killShim(o shimproc.Order) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well-formed
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		args := strings.Split(string(line), "\x00")
		if !follows(args, "-namespace", o.Namespace) || !follows(args, "-id", o.ID) || !follows(args, "-address", m.Shims.GRPC) {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(path, "/")[2]); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// follows reports whether args hold flag and then value.
func follows(args []string, flag, value string) bool {
	i := slices.Index(args, flag)
	return i >= 0 && i+1 < len(args) && args[i+1] == value
}

// discard removes a bundle; what cannot be removed is said, and found again at the next start.
func discard(b *bundle.Bundle) {
	if err := b.Remove(); err != nil {
		slog.Error("a bundle cannot be removed", "bundle", b.Dir, "error", err)
	}
}
