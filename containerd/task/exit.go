package task

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	apievents "github.com/containerd/containerd/api/events"
	shimapi "github.com/containerd/containerd/api/runtime/task/v2"
	apitypes "github.com/containerd/containerd/api/types"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/bundle"
	"hull/containerd/shimproc"
	"hull/stages"
	"hull/trace/span"
)

// Topics of the events that we publish ourselves, for a shim that no longer can.
const (
	topicExit   = "/tasks/exit"
	topicDelete = "/tasks/delete"
)

// killed is the status of a process whose end nobody saw: 128 + SIGKILL. Zero would claim a success that nobody knows of.
const killed = 137

// Forward takes an event from a shim: it moves the task's state on and passes the event to the subscribers, in the order in which the
// shim sent it. An exit is passed on once, however often it comes.
func (m *Manager) Forward(ctx context.Context, env *apitypes.Envelope) error {
	if env == nil || !strings.HasPrefix(env.Topic, "/tasks/") {
		return m.Events.Forward(env)
	}
	body, err := typeurl.UnmarshalAny(env.Event)
	if err != nil {
		return m.Events.Forward(env) // an event we do not know is none of our business
	}
	switch ev := body.(type) {
	case *apievents.TaskExit:
		return m.forwardExit(ctx, env, ev)
	case *apievents.TaskStart:
		m.moved(env.Namespace, ev.ContainerID, "", Start, ev.Pid)
	case *apievents.TaskExecStarted:
		m.moved(env.Namespace, ev.ContainerID, ev.ExecID, Start, ev.Pid)
	case *apievents.TaskPaused:
		m.moved(env.Namespace, ev.ContainerID, "", Pause, 0)
	case *apievents.TaskResumed:
		m.moved(env.Namespace, ev.ContainerID, "", Resume, 0)
	}
	return m.Events.Forward(env)
}

// moved applies what a shim says has happened.
func (m *Manager) moved(namespace, id, execID string, c Change, pid uint32) {
	t, err := m.get(name{namespace, id})
	if err != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.process(execID); p != nil {
		p.change(c) // what the table refuses is an event that came late
		if pid != 0 {
			p.pid = pid
		}
	}
}

func (m *Manager) forwardExit(ctx context.Context, env *apitypes.Envelope, ev *apievents.TaskExit) (err error) {
	execID := ev.ID
	if execID == ev.ContainerID {
		execID = ""
	}
	// A task that is just being created can exit as well; then nobody has been told of it yet.
	m.mu.Lock()
	t := m.tasks[name{env.Namespace, ev.ContainerID}]
	m.mu.Unlock()
	if t != nil {
		if !span.Current(ctx).Valid() {
			ctx = m.Recorder.Join(ctx, t.trace)
		}
		if !t.tell(execID, ev.ExitStatus, ev.ExitedAt.AsTime()) {
			return nil
		}
		if execID == "" && t.exists() {
			t.keepExit(ev)
		}
	}
	_, sp := span.Start(ctx, stages.ContainerdExitForward)
	sp.Instance(ev.ID)
	sp.SetInt("hull.exit", int64(ev.ExitStatus))
	defer sp.End(&err)
	return m.Events.Forward(env)
}

// tell records an exit and reports whether the subscribers are to hear of it now: the first time.
func (t *Task) tell(execID string, status uint32, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.process(execID)
	if p == nil {
		return true // an exec that somebody else added; passed on
	}
	p.exit(status, at)
	first := !p.told
	p.told = true
	return first
}

// keepExit writes the exit record that a foreign shim does not write, so that its death later on loses nothing.
func (t *Task) keepExit(ev *apievents.TaskExit) {
	if _, ok := t.bundle.Exit(); ok {
		return
	}
	text, err := json.Marshal(bundle.Exit{PID: ev.Pid, Status: ev.ExitStatus, ExitedAt: ev.ExitedAt.AsTime()})
	if err == nil {
		err = t.bundle.Write("exit.json", string(text))
	}
	if err != nil {
		slog.Warn("the exit record cannot be written", "container", t.id, "error", err)
	}
}

// watch waits for the end of the connection to a task's shim. If nobody asked for it, the shim is dead, and its container dies with it:
// `SHIM delete` sees to that, and the exit is reported here.
func (m *Manager) watch(t *Task, conn *shimproc.Conn) {
	<-conn.Closed()
	m.mu.Lock()
	ended := m.ended
	m.mu.Unlock()
	t.mu.Lock()
	expected := t.busy || ended || t.conn != conn
	t.mu.Unlock()
	if expected {
		return
	}
	slog.Warn("a shim is gone", "container", t.id, "namespace", t.namespace)
	m.bury(m.Recorder.Join(context.Background(), t.trace), t)
}

// bury ends a task whose shim is gone: it cleans up, finds out how the first process ended, and reports what has not been reported.
func (m *Manager) bury(ctx context.Context, t *Task) {
	answer := m.cleanUp(ctx, t)
	status, at := truth(t, answer)
	t.mu.Lock()
	t.conn = nil
	ids := []string{}
	for id := range t.execs {
		ids = append(ids, id)
	}
	t.mu.Unlock()
	for _, id := range ids { // before the first process: it is the last to go
		m.report(ctx, t, id, killed, at)
	}
	m.report(ctx, t, "", status, at)
}

// truth is how the first process ended: by the shim's record, else by what `SHIM delete` says, else as killed.
func truth(t *Task, answer *shimapi.DeleteResponse) (status uint32, at time.Time) {
	if e, ok := t.bundle.Exit(); ok {
		return e.Status, e.ExitedAt
	}
	if answer != nil && answer.ExitStatus != 0 && answer.ExitedAt != nil {
		return answer.ExitStatus, answer.ExitedAt.AsTime()
	}
	return killed, time.Now()
}

// report publishes the exit of a process in its dead shim's place.
func (m *Manager) report(ctx context.Context, t *Task, execID string, status uint32, at time.Time) {
	if !t.tell(execID, status, at) {
		return
	}
	t.mu.Lock()
	p := t.process(execID)
	ev := &apievents.TaskExit{ContainerID: t.id, ID: execID, Pid: p.pid, ExitStatus: p.status, ExitedAt: timestamppb.New(p.exitedAt)}
	t.mu.Unlock()
	if execID == "" {
		ev.ID = t.id
	}
	_, sp := span.Start(ctx, stages.ContainerdExitForward)
	sp.Instance(ev.ID)
	sp.SetInt("hull.exit", int64(ev.ExitStatus))
	err := m.Events.Publish(t.namespace, topicExit, ev)
	sp.End(&err)
}
