package task

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"hull/shim/cgroup"
	"hull/shim/reap"
	"hull/shim/runtime"
	"hull/shim/stdio"
	"hull/shim/wire"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// A Service is one container's task.
type Service struct {
	Namespace string
	Bundle    string
	Sockets   string // directory for console sockets
	Spans     string // hull-trace's socket
	Reaper    *reap.Reaper
	Publisher *Publisher
	Stop      func() // ends the server; called once by Shutdown
	Flush     func() // hands finished spans over

	mu      sync.Mutex
	id      string
	runtime *runtime.Runtime
	init    *process
	execs   map[string]*process
	shared  bool // the container is in a pid namespace that is not its own
	group   cgroup.Group
	memory  memory
	paused  bool
	stopped bool
}

// A process is the container's first one, or an executed one.
type process struct {
	exec    string // its exec id; "" for the first process
	request stdio.Spec
	spec    []byte // an exec's process document

	// order is held by Start until its event is queued: an exit that comes earlier waits for it.
	order    sync.Mutex
	trace    context.Context // of the adoption: what happens later belongs to the same trace
	exited   chan struct{}   // closed when the exit may be told
	reported chan struct{}   // closed when the exit event is queued

	// Guarded by Service.mu.
	child   *reap.Child
	streams *stdio.Streams
	started bool
	dead    bool
	closeIO bool
	exit    reap.Exit
}

func newProcess(exec string, spec stdio.Spec) *process {
	return &process{exec: exec, request: spec, trace: context.Background(), exited: make(chan struct{}), reported: make(chan struct{})}
}

// find is the process a request names.
func (s *Service) find(exec string) (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.init == nil {
		return nil, notFound("the task")
	}
	if exec == "" {
		return s.init, nil
	}
	p, ok := s.execs[exec]
	if !ok {
		return nil, notFound("exec " + exec)
	}
	return p, nil
}

// running is the process, if it has been started by the runtime and is not dead.
func (s *Service) running(exec string) (*process, error) {
	p, err := s.find(exec)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.dead {
		return nil, notFound("process already finished")
	}
	if p.child == nil {
		return nil, wrongState(exec, "not started yet")
	}
	return p, nil
}

func notFound(what string) error {
	return &stages.Error{Kind: stages.NotFound, Err: fmt.Errorf("%s: not found", what)}
}

func wrongState(thing, text string) error {
	return &stages.Error{Kind: stages.NotRunnable, Thing: thing, Err: errors.New(text)}
}

func (s *Service) State(_ context.Context, req *wire.StateRequest) (*wire.StateResponse, error) {
	p, err := s.find(req.ExecID)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &wire.StateResponse{
		ID: s.id, Bundle: s.Bundle, ExecID: p.exec, Status: wire.StatusCreated, Terminal: p.request.Terminal,
		Stdin: p.request.Stdin, Stdout: p.request.Stdout, Stderr: p.request.Stderr,
	}
	if p.child != nil {
		r.Pid = uint32(p.child.PID)
	}
	switch {
	case p.dead:
		r.Status, r.ExitStatus, r.ExitedAt = wire.StatusStopped, uint32(p.exit.Status), p.exit.At
	case p.started && s.paused:
		r.Status = wire.StatusPaused
	case p.started:
		r.Status = wire.StatusRunning
	}
	return r, nil
}

// Wait answers when the process is dead, its exit written down and its output drained.
func (s *Service) Wait(ctx context.Context, req *wire.WaitRequest) (*wire.WaitResponse, error) {
	p, err := s.find(req.ExecID)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.exited:
		return &wire.WaitResponse{ExitStatus: uint32(p.exit.Status), ExitedAt: p.exit.At}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Service) Connect(context.Context, *wire.ConnectRequest) (*wire.ConnectResponse, error) {
	r := &wire.ConnectResponse{ShimPid: uint32(os.Getpid()), Version: "v2"}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.init != nil && s.init.child != nil {
		r.TaskPid = uint32(s.init.child.PID)
	}
	return r, nil
}

func (s *Service) Pids(context.Context, *wire.PidsRequest) (*wire.PidsResponse, error) {
	if _, err := s.find(""); err != nil {
		return nil, err
	}
	s.mu.Lock()
	group, first := s.group, s.init.child
	execs := map[int]string{}
	for id, p := range s.execs {
		if p.child != nil && !p.dead {
			execs[p.child.PID] = id
		}
	}
	s.mu.Unlock()
	pids := group.Processes()
	if len(pids) == 0 && first != nil {
		pids = []int{first.PID} // a dead container whose supervisor has not deleted it yet is no leaked shim
	}
	r := &wire.PidsResponse{}
	for _, pid := range pids {
		info := &wire.ProcessInfo{Pid: uint32(pid)}
		if id, ok := execs[pid]; ok {
			info.Info = execDetails(id)
		}
		r.Processes = append(r.Processes, info)
	}
	return r, nil
}

// Kill signals the first process through the runtime (see runtime.Kill), and an executed one, which the runtime has no word for, by its
// pidfd.
func (s *Service) Kill(ctx context.Context, req *wire.KillRequest) (*wire.Empty, error) {
	if req.All && req.ExecID == "" { // also a container whose first process is dead may have others
		p, err := s.find("")
		if err != nil {
			return nil, err
		}
		if p.child == nil {
			return nil, wrongState(s.id, "not created yet")
		}
		return &wire.Empty{}, s.runtime.Kill(ctx, s.id, req.Signal, true)
	}
	p, err := s.running(req.ExecID)
	if err != nil {
		return nil, err
	}
	if p.exec == "" {
		return &wire.Empty{}, s.runtime.Kill(ctx, s.id, req.Signal, false)
	}
	if err := p.child.Signal(unix.Signal(req.Signal)); err != nil {
		return nil, notFound("process already finished")
	}
	return &wire.Empty{}, nil
}

func (s *Service) Pause(ctx context.Context, _ *wire.PauseRequest) (*wire.Empty, error) {
	return s.freeze(ctx, true)
}

func (s *Service) Resume(ctx context.Context, _ *wire.ResumeRequest) (*wire.Empty, error) {
	return s.freeze(ctx, false)
}

func (s *Service) Update(ctx context.Context, req *wire.UpdateTaskRequest) (*wire.Empty, error) {
	if _, err := s.running(""); err != nil {
		return nil, err
	}
	// The Any holds the runtime-spec's LinuxResources as JSON (containerd/typeurl), which is what the runtime reads.
	return &wire.Empty{}, s.runtime.Update(ctx, s.id, req.Resources.GetValue())
}

func (s *Service) ResizePty(_ context.Context, req *wire.ResizePtyRequest) (*wire.Empty, error) {
	p, err := s.running(req.ExecID)
	if err != nil {
		return nil, err
	}
	return &wire.Empty{}, p.streams.Resize(uint16(req.Width), uint16(req.Height))
}

// CloseIO ends a process's standard input. For an exec that has not been started yet it takes effect at the start.
func (s *Service) CloseIO(_ context.Context, req *wire.CloseIORequest) (*wire.Empty, error) {
	p, err := s.find(req.ExecID)
	if err != nil {
		return nil, err
	}
	if req.Stdin {
		s.mu.Lock()
		streams := p.streams
		p.closeIO = true
		s.mu.Unlock()
		if streams != nil {
			streams.CloseStdin()
		}
	}
	return &wire.Empty{}, nil
}

func (s *Service) Checkpoint(context.Context, *wire.CheckpointTaskRequest) (*wire.Empty, error) {
	return nil, unsupported("checkpoint")
}

func unsupported(what string) error {
	return &stages.Error{Kind: stages.Unsupported, Thing: what, Err: errors.New("not offered by this shim")}
}

// Shutdown ends the shim, unless it still has a task.
func (s *Service) Shutdown(_ context.Context, req *wire.ShutdownRequest) (*wire.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.init == nil || req.Now) && !s.stopped {
		s.stopped = true
		s.Stop()
	}
	return &wire.Empty{}, nil
}

func (s *Service) rootfs() string { return filepath.Join(s.Bundle, "rootfs") }
