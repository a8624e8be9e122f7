package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	apievents "github.com/containerd/containerd/api/events"
	shimapi "github.com/containerd/containerd/api/runtime/task/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/shimproc"
	"hull/stages"
	"hull/trace/span"
)

// An Exit is how a process ended.
type Exit struct {
	PID    uint32
	Status uint32 // exit code, or 128 + the signal
	At     time.Time
}

// Delete removes a stopped task, or one that was never started: its container, its shim, its bundle. A running one is refused.
func (m *Manager) Delete(ctx context.Context, namespace, id string) (e Exit, err error) {
	t, err := m.get(name{namespace, id})
	if err != nil {
		return Exit{}, err
	}
	ctx, sp := span.Start(ctx, stages.ContainerdTaskDelete)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return e, err
	}
	t.mu.Lock()
	if t.busy {
		t.mu.Unlock()
		return Exit{}, t.failed(stages.None, stages.Conflict, errors.New("it is being deleted"))
	}
	t.busy = true
	conn := t.conn
	t.mu.Unlock()

	if conn != nil {
		e, err = m.deleteByShim(ctx, t, conn)
	} else {
		e, err = m.deleteByUs(t)
	}
	if err != nil {
		t.mu.Lock()
		t.busy = false
		t.mu.Unlock()
		select {
		case <-lost(conn):
			go m.watch(t, conn) // it closed while nobody watched
		default:
		}
		return Exit{}, err
	}
	t.log.Close()
	err = t.bundle.Remove()
	m.forget(t)
	return e, err
}

// lost is the connection's end, or never for none.
func lost(conn *shimproc.Conn) <-chan struct{} {
	if conn == nil {
		return nil
	}
	return conn.Closed()
}

// deleteByShim has the shim remove the container, and then leave.
func (m *Manager) deleteByShim(ctx context.Context, t *Task, conn *shimproc.Conn) (Exit, error) {
	answer, err := conn.Delete(ctx, &shimapi.DeleteRequest{ID: t.id})
	var e Exit
	switch {
	case err == nil:
		e = Exit{PID: answer.Pid, Status: answer.ExitStatus, At: answer.ExitedAt.AsTime()}
	case status.Code(err) == codes.NotFound: // an earlier Delete got this far and was cut off
		t.mu.Lock()
		e = Exit{PID: t.init.pid, Status: t.init.status, At: t.init.exitedAt}
		t.mu.Unlock()
	default:
		return Exit{}, err
	}
	endShim(ctx, conn, t.id)
	return e, nil
}

// deleteByUs forgets a task whose shim is gone; everything but the bundle has been cleaned up by bury.
func (m *Manager) deleteByUs(t *Task) (Exit, error) {
	t.mu.Lock()
	p := t.init
	t.mu.Unlock()
	if p.state != Stopped {
		return Exit{}, t.failed(stages.None, stages.Conflict, fmt.Errorf("its shim is gone and it is still %s", p.state))
	}
	err := m.Events.Publish(t.namespace, topicDelete, &apievents.TaskDelete{
		ContainerID: t.id, ID: t.id, Pid: p.pid, ExitStatus: p.status, ExitedAt: timestamppb.New(p.exitedAt),
	})
	return Exit{PID: p.pid, Status: p.status, At: p.exitedAt}, err
}

// DeleteProcess removes a process that Exec added and that has exited.
func (m *Manager) DeleteProcess(ctx context.Context, namespace, id, execID string) (Exit, error) {
	t, err := m.get(name{namespace, id})
	if err != nil {
		return Exit{}, err
	}
	conn, err := t.shim()
	if err != nil {
		return t.forgetExec(execID)
	}
	answer, err := conn.Delete(ctx, &shimapi.DeleteRequest{ID: id, ExecID: execID})
	if err != nil {
		return Exit{}, err
	}
	t.mu.Lock()
	delete(t.execs, execID)
	t.mu.Unlock()
	return Exit{PID: answer.Pid, Status: answer.ExitStatus, At: answer.ExitedAt.AsTime()}, nil
}

// forgetExec is DeleteProcess for a shim that is gone.
func (t *Task) forgetExec(execID string) (Exit, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.execs[execID]
	if p == nil || p.state != Stopped {
		return Exit{}, t.failed(stages.None, stages.NotFound, fmt.Errorf("process %q: not found", execID))
	}
	delete(t.execs, execID)
	return Exit{PID: p.pid, Status: p.status, At: p.exitedAt}, nil
}
