package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	shimapi "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/containerd/v2/pkg/identifiers"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hull/containerd/bundle"
	"hull/containerd/shimproc"
	"hull/stages"
	"hull/trace/span"
)

// restoring is how many shims are asked at a time.
const restoring = 16

// Restore finds the tasks that an earlier hull-containerd left: it reads the bundles below RUN/tasks, dials their shims, and asks. It comes
// before the socket answers, so that nobody sees a task missing that is there.
func (m *Manager) Restore(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(restoring)
	namespaces, err := os.ReadDir(m.Bundles.Root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, ns := range namespaces {
		ids, err := os.ReadDir(filepath.Join(m.Bundles.Root, ns.Name()))
		if err != nil {
			return err
		}
		for _, id := range ids {
			n := name{ns.Name(), id.Name()}
			if identifiers.Validate(n.namespace) != nil || identifiers.Validate(n.id) != nil || !id.IsDir() {
				slog.Warn("not a bundle of ours", "path", m.Bundles.Path(n.namespace, n.id))
				continue
			}
			group.Go(func() error {
				m.restore(ctx, n)
				return nil
			})
		}
	}
	return group.Wait()
}

// restore finds one task. Whatever is wrong with it ends in one of two ways: it is there as stopped, with the truth about its exit, or, if
// its creation never ended, nothing of it is left.
func (m *Manager) restore(ctx context.Context, n name) {
	t := &Task{
		name: n, bundle: &bundle.Bundle{Dir: m.Bundles.Path(n.namespace, n.id)}, init: newProcess(Created), execs: map[string]*process{}, ready: true,
	}
	if c := span.Parse(t.bundle.Read("traceparent")); c.Valid() {
		t.trace = c
		ctx = m.Recorder.Join(ctx, c)
	}
	ctx, sp := span.Start(ctx, stages.ContainerdRestore)
	sp.Instance(n.id)
	var err error
	defer sp.End(&err)

	t.order = shimproc.Order{Binary: t.bundle.Read("shim-binary-path"), Namespace: n.namespace, ID: n.id, Bundle: t.bundle}
	if t.log, err = shimproc.OpenLog(t.bundle, n.id); err != nil {
		slog.Error("restore", "container", n.id, "namespace", n.namespace, "error", err)
		discard(t.bundle)
		return
	}
	conn, err := m.ask(ctx, t)
	switch {
	case err == nil:
		slog.Info("restored", "container", n.id, "namespace", n.namespace, "pid", t.init.pid, "state", t.init.state.String())
		m.adopt(t)
		go m.watch(t, conn)
	case t.made():
		slog.Warn("restore: the shim is gone", "container", n.id, "namespace", n.namespace, "error", err)
		m.adopt(t)
		m.bury(ctx, t)
	default:
		// We died inside Create. Nobody was told of this task.
		slog.Warn("restore: removing what an interrupted create left", "container", n.id, "namespace", n.namespace, "error", err)
		m.cleanUp(ctx, t)
		t.log.Close()
		discard(t.bundle)
	}
}

// ask dials the shim and takes over the state of its first process. A shim that holds no container is told to leave.
func (m *Manager) ask(ctx context.Context, t *Task) (*shimproc.Conn, error) {
	address, err := shimproc.Load(t.bundle)
	if err != nil {
		return nil, err
	}
	limit, cancel := context.WithTimeout(ctx, stateLimit)
	defer cancel()
	conn, err := shimproc.Dial(limit, address)
	if err != nil {
		return nil, err
	}
	s, err := conn.State(limit, &shimapi.StateRequest{ID: t.id})
	if err != nil {
		if status.Code(err) == codes.NotFound {
			endShim(ctx, conn, t.id)
		}
		conn.Close()
		return nil, err
	}
	state := fromWire(s.Status)
	if state == Absent {
		conn.Close()
		return nil, fmt.Errorf("the shim says %s of it", s.Status)
	}
	t.conn = conn
	t.init.pid = s.Pid
	if state == Stopped {
		t.init.exit(s.ExitStatus, s.ExitedAt.AsTime())
	} else {
		t.init.state = state
	}
	return conn, nil
}

// made reports whether the shim had made the container's first process: it wrote down its pid.
func (t *Task) made() bool {
	pid, err := strconv.ParseUint(t.bundle.Read("init.pid"), 10, 32)
	t.init.pid = uint32(pid)
	return err == nil && pid > 0
}

// adopt puts a task that was found into the table.
func (m *Manager) adopt(t *Task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks == nil {
		m.tasks = map[name]*Task{}
	}
	m.tasks[t.name] = t
}
