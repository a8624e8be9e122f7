// Package task is the life of tasks: what Tasks/Create, Start, Kill, Wait and Delete do, and what happens when a shim or we ourselves die.
//
// A task is a container that has processes. Each has a shim, a program of its own that is the processes' parent; this package asks the
// shim over ttrpc and believes what it says, keeps in memory only what is needed when the shim is gone, and keeps on disk only the bundle.
// A restarted hull-containerd therefore loses nothing: it reads the bundles, dials the shims, and asks (restore.go).
//
// The server's tasks service calls it. It never starts a runtime itself and never waits for a container's process: neither is its child.
// The states are in state.go, the one way a task comes to be in create.go, its end in exit.go.
package task

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"hull/containerd/bundle"
	"hull/containerd/event"
	"hull/containerd/shimproc"
	"hull/stages"
	"hull/trace/span"
)

// A Manager is the tasks of all namespaces.
type Manager struct {
	Bundles  *bundle.Maker
	Shims    *shimproc.Launcher
	Runtimes Defaults
	Events   *event.Exchange
	Recorder *span.Recorder

	mu    sync.Mutex
	tasks map[name]*Task
	ended bool // we are leaving: a closed connection means nothing any more
}

type name struct{ namespace, id string }

// A Task is one container's shim and processes.
type Task struct {
	name
	bundle *bundle.Bundle
	order  shimproc.Order
	log    *shimproc.Log
	trace  span.Context // of the run that made it; what happens later on its own belongs there too

	mu    sync.Mutex
	ready bool           // Create has succeeded; until then bundle, order and log are Create's own
	conn  *shimproc.Conn // nil once the shim is gone
	init  process
	execs map[string]*process
	busy  bool // Delete is under way: the connection is expected to close
}

// A process is the container's first process or one that was added by Exec.
type process struct {
	state    State
	pid      uint32
	status   uint32 // exit code, or 128 + the signal
	exitedAt time.Time
	exited   chan struct{} // closed when state is Stopped
	told     bool          // subscribers have had the exit event
}

func newProcess(s State) process {
	p := process{state: s, exited: make(chan struct{})}
	return p
}

// change applies a transition.
func (p *process) change(c Change) error {
	to, err := p.state.next(c)
	if err == nil {
		p.state = to
	}
	return err
}

// exit records the end, the first time it is heard of.
func (p *process) exit(status uint32, at time.Time) {
	if p.state == Stopped || p.change(End) != nil {
		return
	}
	p.status, p.exitedAt = status, at
	close(p.exited)
}

func (n name) failed(step stages.ID, kind stages.Kind, err error) error {
	return &stages.Error{Step: step, Kind: kind, Thing: fmt.Sprintf("task %q", n.id), Err: err}
}

// get finds a task; one that is still being created is not there yet.
func (m *Manager) get(n name) (*Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tasks[n]
	if t == nil || !t.exists() {
		return nil, n.failed(stages.None, stages.NotFound, errors.New("no such task: not found"))
	}
	return t, nil
}

func (t *Task) exists() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ready
}

func (t *Task) current() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.init.state
}

// shim is the connection to the task's shim.
func (t *Task) shim() (*shimproc.Conn, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil {
		return nil, t.failed(stages.None, stages.NotFound, errors.New("its shim is gone and its process already finished: not found"))
	}
	return t.conn, nil
}

// process finds a process by its exec id; "" is the first one. The caller holds t.mu.
func (t *Task) process(execID string) *process {
	if execID == "" {
		return &t.init
	}
	return t.execs[execID]
}

// list is the tasks of a namespace that exist.
func (m *Manager) list(namespace string) []*Task {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*Task
	for n, t := range m.tasks {
		if n.namespace == namespace && t.exists() {
			all = append(all, t)
		}
	}
	return all
}

// Exists reports whether a container has a task, one that is just being created included.
func (m *Manager) Exists(namespace, id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tasks[name{namespace, id}] != nil
}

// forget gives the name free.
func (m *Manager) forget(t *Task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks[t.name] == t {
		delete(m.tasks, t.name)
	}
}

// Close lets go of all shims. They live on.
func (m *Manager) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	for _, t := range m.tasks {
		t.mu.Lock()
		if t.ready {
			t.log.Close()
		}
		if t.conn != nil {
			t.conn.Close()
		}
		t.mu.Unlock()
	}
}
