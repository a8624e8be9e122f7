package engine

import (
	"context"
	"slices"
	"sync"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
)

// keptExecs is how many execs that do not run a container keeps for inspect; older ones are forgotten.
const keptExecs = 256

// An Exec is a process that a client adds to a running container. Unlike a container it has no record on disk: with its daemon its client
// is gone too, and what became of the process is asked of containerd (exec_restore.go).
type Exec struct {
	ID        string
	container *Container
	request   container.ExecCreateRequest
	starting  sync.Mutex // held until containerd has answered the start: an exit may be told before, and what is deleted then has no answer

	mu      sync.Mutex
	state   execState
	pid     int
	code    *int // nil until it is known
	streams *execStreams
	ended   chan struct{} // closed when it has run, and code is what there is to say
}

type execState uint8

const (
	execCreated execState = iota
	execStarting
	execRunning
	execEnded
)

// execs finds the execs of all containers.
type execs struct {
	mu   sync.Mutex
	byID map[string]*Exec
	of   map[string][]*Exec // by container, oldest first
}

func newExecs() *execs { return &execs{byID: map[string]*Exec{}, of: map[string][]*Exec{}} }

func (x *execs) find(id string) (*Exec, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e := x.byID[id]; e != nil {
		return e, nil
	}
	return nil, failure(stages.NotFound, "No such exec instance: %s", id)
}

// add makes an exec known, and forgets the oldest that does not run if there are too many.
func (x *execs) add(e *Exec) {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := append(x.of[e.container.ID], e)
	if idle := slices.DeleteFunc(slices.Clone(list), (*Exec).Running); len(idle) > keptExecs {
		delete(x.byID, idle[0].ID)
		list = slices.DeleteFunc(list, func(e *Exec) bool { return e == idle[0] })
	}
	x.byID[e.ID], x.of[e.container.ID] = e, list
}

// forget drops all execs of a container that is removed.
func (x *execs) forget(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.of[id] {
		delete(x.byID, e.ID)
	}
	delete(x.of, id)
}

// all lists a container's execs, oldest first.
func (x *execs) all(id string) []*Exec {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.of[id])
}

// Running reports whether the process exists, or is about to.
func (e *Exec) Running() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state == execStarting || e.state == execRunning
}

// over reports whether it has run.
func (e *Exec) over() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state == execEnded
}

// end records how the process ended, once.
func (e *Exec) end(code *int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == execEnded {
		return false
	}
	e.state, e.code, e.pid = execEnded, code, 0
	close(e.ended)
	return true
}

// InspectExec tells about an exec in docker's form.
func (e *Engine) InspectExec(id string) (*container.ExecInspectResponse, error) {
	x, err := e.execs.find(id)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.request
	resp := &container.ExecInspectResponse{
		ID: x.ID, ContainerID: x.container.ID, Running: x.state == execStarting || x.state == execRunning, ExitCode: x.code, Pid: x.pid,
		OpenStdin: r.AttachStdin, OpenStdout: r.AttachStdout, OpenStderr: r.AttachStderr, CanRemove: x.state == execEnded, DetachKeys: []byte(r.DetachKeys),
		ProcessConfig: &container.ExecProcessConfig{Tty: r.Tty, Entrypoint: r.Cmd[0], Arguments: slices.Clone(r.Cmd[1:]), Privileged: &r.Privileged, User: r.User},
	}
	return resp, nil
}

// ResizeExec sets the size of an exec's terminal, in characters.
func (e *Engine) ResizeExec(ctx context.Context, id string, width, height uint32) error {
	x, err := e.execs.find(id)
	if err != nil {
		return err
	}
	if !x.Running() {
		return failure(stages.Conflict, "exec %s is not running", id)
	}
	return e.ctd.ResizeProcess(e.join(ctx, x.container), x.container.ID, x.ID, width, height)
}
