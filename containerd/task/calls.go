package task

import (
	"context"
	"errors"
	"time"

	shimapi "github.com/containerd/containerd/api/runtime/task/v2"
	apitypes "github.com/containerd/containerd/api/types"
	apitask "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/shimproc"
	"hull/stages"
	"hull/trace/span"
)

// The calls in this file pass a request on to the task's shim. An error of the shim's goes to the client as it came: its words are part
// of what docker's client shows.

// stateLimit is how long a shim may take to say how a process is.
const stateLimit = 5 * time.Second

// with finds the task's shim and hands it to call.
func (m *Manager) with(namespace, id string, call func(*Task, *shimproc.Conn) error) error {
	t, err := m.get(name{namespace, id})
	if err != nil {
		return err
	}
	conn, err := t.shim()
	if err != nil {
		return err
	}
	return call(t, conn)
}

// Start lets a process run the user's program: the task's first one with execID "", or one that Exec added. It returns the pid.
func (m *Manager) Start(ctx context.Context, namespace, id, execID string) (pid uint32, err error) {
	ctx, sp := span.Start(ctx, stages.ContainerdTaskStart)
	sp.Set(stages.AttrContainer, id)
	sp.Instance(execID)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return pid, err
	}
	err = m.with(namespace, id, func(t *Task, conn *shimproc.Conn) error {
		answer, err := conn.Start(ctx, &shimapi.StartRequest{ID: id, ExecID: execID})
		if err != nil {
			return err
		}
		pid = answer.Pid
		m.moved(namespace, id, execID, Start, pid)
		return nil
	})
	return pid, err
}

// Exec adds a process to a running container; Start then starts it.
func (m *Manager) Exec(ctx context.Context, namespace, id string, req *shimapi.ExecProcessRequest) (err error) {
	ctx, sp := span.Start(ctx, stages.ContainerdExecCreate)
	sp.Set(stages.AttrContainer, id)
	sp.Instance(req.ExecID)
	defer sp.End(&err)
	return m.with(namespace, id, func(t *Task, conn *shimproc.Conn) error {
		if _, err := conn.Exec(ctx, req); err != nil {
			return err
		}
		p := newProcess(Created)
		t.mu.Lock()
		t.execs[req.ExecID] = &p
		t.mu.Unlock()
		return nil
	})
}

// Kill sends a signal to a process, or with all to every process of the container.
func (m *Manager) Kill(ctx context.Context, namespace, id, execID string, signal uint32, all bool) error {
	return m.with(namespace, id, func(_ *Task, conn *shimproc.Conn) error {
		_, err := conn.Kill(ctx, &shimapi.KillRequest{ID: id, ExecID: execID, Signal: signal, All: all})
		return err
	})
}

// Pause freezes all processes of the container.
func (m *Manager) Pause(ctx context.Context, namespace, id string) error {
	return m.with(namespace, id, func(_ *Task, conn *shimproc.Conn) error {
		_, err := conn.Pause(ctx, &shimapi.PauseRequest{ID: id})
		if err == nil {
			m.moved(namespace, id, "", Pause, 0)
		}
		return err
	})
}

// Resume lets them go on.
func (m *Manager) Resume(ctx context.Context, namespace, id string) error {
	return m.with(namespace, id, func(_ *Task, conn *shimproc.Conn) error {
		_, err := conn.Resume(ctx, &shimapi.ResumeRequest{ID: id})
		if err == nil {
			m.moved(namespace, id, "", Resume, 0)
		}
		return err
	})
}

// ResizePty sets the size of a process's terminal.
func (m *Manager) ResizePty(ctx context.Context, namespace, id, execID string, width, height uint32) error {
	return m.with(namespace, id, func(_ *Task, conn *shimproc.Conn) error {
		_, err := conn.ResizePty(ctx, &shimapi.ResizePtyRequest{ID: id, ExecID: execID, Width: width, Height: height})
		return err
	})
}

// CloseIO closes a process's standard input.
func (m *Manager) CloseIO(ctx context.Context, namespace, id, execID string, stdin bool) error {
	return m.with(namespace, id, func(_ *Task, conn *shimproc.Conn) error {
		_, err := conn.CloseIO(ctx, &shimapi.CloseIORequest{ID: id, ExecID: execID, Stdin: stdin})
		return err
	})
}

// Update changes the container's resource limits.
func (m *Manager) Update(ctx context.Context, namespace, id string, resources *anypb.Any, annotations map[string]string) error {
	return m.with(namespace, id, func(_ *Task, conn *shimproc.Conn) error {
		_, err := conn.Update(ctx, &shimapi.UpdateTaskRequest{ID: id, Resources: resources, Annotations: annotations})
		return err
	})
}

// Pids lists the container's processes.
func (m *Manager) Pids(ctx context.Context, namespace, id string) (pids []*apitask.ProcessInfo, err error) {
	err = m.with(namespace, id, func(_ *Task, conn *shimproc.Conn) error {
		answer, err := conn.Pids(ctx, &shimapi.PidsRequest{ID: id})
		pids = answer.GetProcesses()
		return err
	})
	return pids, err
}

// Get says how a process is: its shim knows best; if that is gone, we know how it ended.
func (m *Manager) Get(ctx context.Context, namespace, id, execID string) (*apitask.Process, error) {
	t, err := m.get(name{namespace, id})
	if err != nil {
		return nil, err
	}
	if conn, err := t.shim(); err == nil {
		ctx, cancel := context.WithTimeout(ctx, stateLimit)
		defer cancel()
		s, err := conn.State(ctx, &shimapi.StateRequest{ID: id, ExecID: execID})
		if err == nil {
			return &apitask.Process{
				ContainerID: id, ID: s.ID, Pid: s.Pid, Status: s.Status, Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr,
				Terminal: s.Terminal, ExitStatus: s.ExitStatus, ExitedAt: s.ExitedAt,
			}, nil
		}
		if status.Code(err) == codes.NotFound || !isClosed(err) {
			return nil, err
		}
	}
	return t.remembered(execID)
}

// remembered is Get without a shim.
func (t *Task) remembered(execID string) (*apitask.Process, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.process(execID)
	if p == nil {
		return nil, t.failed(stages.None, stages.NotFound, errors.New("process "+execID+": not found"))
	}
	w := &apitask.Process{ContainerID: t.id, ID: execID, Pid: p.pid, Status: p.state.Wire(), ExitStatus: p.status}
	if execID == "" {
		w.ID = t.id
	}
	if p.state == Stopped {
		w.ExitedAt = timestamppb.New(p.exitedAt)
	}
	return w, nil
}

// List is Get for every task of a namespace. One that vanishes meanwhile is left out.
func (m *Manager) List(ctx context.Context, namespace string) []*apitask.Process {
	var all []*apitask.Process
	for _, t := range m.list(namespace) {
		if p, err := m.Get(ctx, namespace, t.id, ""); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// Wait returns when the process has exited. It asks the shim; when that is lost it waits for what we find out instead.
func (m *Manager) Wait(ctx context.Context, namespace, id, execID string) (Exit, error) {
	t, err := m.get(name{namespace, id})
	if err != nil {
		return Exit{}, err
	}
	if conn, err := t.shim(); err == nil {
		answer, err := conn.Wait(ctx, &shimapi.WaitRequest{ID: id, ExecID: execID})
		if err == nil {
			return Exit{Status: answer.ExitStatus, At: answer.ExitedAt.AsTime()}, nil
		}
		if !isClosed(err) {
			return Exit{}, err
		}
	}
	t.mu.Lock()
	p := t.process(execID)
	t.mu.Unlock()
	if p == nil {
		return Exit{}, t.failed(stages.None, stages.NotFound, errors.New("process "+execID+": not found"))
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		return Exit{}, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return Exit{PID: p.pid, Status: p.status, At: p.exitedAt}, nil
}

// isClosed tells a lost connection from an answer.
func isClosed(err error) bool {
	return errors.Is(err, ttrpc.ErrClosed) || status.Code(err) == codes.Unavailable
}

// Metrics asks the shims of the tasks that keep accepts for their usage counters. One that has none is left out.
func (m *Manager) Metrics(ctx context.Context, namespace string, keep func(id string) bool) []*apitypes.Metric {
	var all []*apitypes.Metric
	for _, t := range m.list(namespace) {
		conn, err := t.shim()
		if err != nil || !keep(t.id) {
			continue
		}
		limit, cancel := context.WithTimeout(ctx, stateLimit)
		answer, err := conn.Stats(limit, &shimapi.StatsRequest{ID: t.id})
		cancel()
		if err == nil {
			all = append(all, &apitypes.Metric{ID: t.id, Timestamp: timestamppb.Now(), Data: answer.Stats})
		}
	}
	return all
}
