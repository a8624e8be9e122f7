package engine

import (
	"context"
	"errors"
	"strings"

	"hull/daemon/containerd"
	"hull/daemon/layers"
	"hull/daemon/spec"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/events"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// FindExec finds an exec that is to be started.
func (e *Engine) FindExec(id string) (*Exec, error) {
	x, err := e.execs.find(id)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x, x.mayStart()
}

// mayStart needs x.mu.
func (x *Exec) mayStart() error {
	switch x.state {
	case execEnded:
		return failure(stages.Conflict, "Error: Exec command %s has already run", x.ID)
	case execStarting, execRunning:
		return failure(stages.Conflict, "Error: Exec command %s is already running", x.ID)
	}
	return x.container.takesExec()
}

// TTY is whether the process has a terminal: its output is raw bytes, not frames.
func (x *Exec) TTY() bool { return x.request.Tty }

// StartExec runs the process; with a client it then carries its streams until the output has ended or the client has left, and closes the
// client. Without one the process runs unattended. size is the terminal's, rows and columns, or nil for that of the create.
func (e *Engine) StartExec(ctx context.Context, x *Exec, client Client, size *[2]uint) error {
	x.mu.Lock()
	err := x.mayStart()
	if err == nil {
		x.state = execStarting
	}
	x.mu.Unlock()
	if err != nil {
		return err
	}
	if size != nil {
		x.request.ConsoleSize = size
	}
	if err := e.startExec(ctx, x, client != nil); err != nil {
		e.execFailed(ctx, x, err)
		return err
	}
	if client == nil {
		x.copyOutput(nil)
		return nil
	}
	e.serveExec(ctx, x, client)
	return nil
}

func (e *Engine) startExec(ctx context.Context, x *Exec, attached bool) (err error) {
	ctx, cancel := detached(e.join(ctx, x.container))
	defer cancel()
	ctx, sp := span.Start(ctx, stages.DaemonExecStart)
	defer sp.End(&err)
	sp.Set(stages.AttrContainer, x.container.ID)
	process, err := e.execProcess(ctx, x)
	if err != nil {
		return err
	}
	streams, err := e.makeExecStreams(x, attached)
	if err != nil {
		return &stages.Error{Step: stages.DaemonExecStart, Kind: stages.Internal, Thing: "streams", Err: err}
	}
	x.mu.Lock()
	x.streams = streams
	x.mu.Unlock()
	x.starting.Lock()
	defer x.starting.Unlock()
	err = e.ctd.AddProcess(ctx, containerd.Process{
		Container: x.container.ID, ID: x.ID, Spec: process, Stdin: streams.stdin, Stdout: streams.path[0], Stderr: streams.path[1],
	})
	if err != nil {
		return err
	}
	pid, err := e.ctd.StartProcess(ctx, x.container.ID, x.ID)
	if err != nil {
		return err
	}
	streams.release()
	x.mu.Lock()
	if x.state == execStarting { // it may be over already
		x.state, x.pid = execRunning, int(pid)
	}
	x.mu.Unlock()
	e.execEvent(events.ActionExecStart, x)
	return nil
}

// execProcess makes the process's document out of the container's own spec. A user is looked up in the container as it is now, the files
// that it has changed included.
func (e *Engine) execProcess(ctx context.Context, x *Exec) (*specs.Process, error) {
	s, err := e.ctd.Spec(ctx, x.container.ID)
	if err != nil {
		return nil, err
	}
	rec := x.container.Record()
	if x.request.User == "" || x.request.User == rec.Config.User {
		return spec.Exec(s, rec.Config, &x.request, nil), nil
	}
	mounts, err := e.ctd.SnapshotMounts(ctx, x.container.ID)
	if err != nil {
		return nil, err
	}
	stack, err := layers.Open(mounts)
	if err != nil {
		return nil, &stages.Error{Step: stages.DaemonExecStart, Thing: x.container.ID, Err: err, Hint: "containerd must be on this machine"}
	}
	defer stack.Close()
	user, err := spec.ResolveUser(x.request.User, rec.HostConfig.GroupAdd, stack.Read)
	if err != nil {
		return nil, err
	}
	return spec.Exec(s, rec.Config, &x.request, &user), nil
}

// execFailed takes back what a start has made. Its code is what inspect then says: 127 for a program that is not there, else 126.
func (e *Engine) execFailed(ctx context.Context, x *Exec, cause error) {
	code := 126
	if stages.KindOf(cause) == stages.NoProgram {
		code = 127
	}
	x.end(&code)
	ctx, cancel := detached(ctx)
	defer cancel()
	if _, err := e.ctd.DeleteProcess(ctx, x.container.ID, x.ID); err != nil && stages.KindOf(err) != stages.NotFound {
		logError("exec: undo", x.container.ID, err)
	}
	x.closeStreams()
}

// ExecFailure is what a client that has the stream already is told.
func ExecFailure(err error) string {
	var e *stages.Error
	if errors.As(err, &e) {
		return strings.TrimSpace(err.Error()) + "\r\n"
	}
	return err.Error() + "\r\n"
}

func (e *Engine) execEvent(action events.Action, x *Exec, more ...string) {
	if action == events.ActionExecStart {
		action = events.Action(string(action) + ": " + strings.Join(x.request.Cmd, " "))
	}
	e.events.container(action, x.container.Record(), append([]string{"execID", x.ID}, more...)...)
}
