package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"hull/shim/cgroup"
	"hull/shim/reap"
	"hull/shim/runtime"
	"hull/shim/stdio"
	"hull/shim/wire"
	"hull/stages"
	"hull/trace/span"

	"golang.org/x/sys/unix"
)

// Create brings the container up to the point where its first process waits for Start: the root file system is mounted, the streams are
// open, the runtime has been and gone, and the process it left behind is our child. On an error nothing is left.
func (s *Service) Create(ctx context.Context, req *wire.CreateTaskRequest) (resp *wire.CreateTaskResponse, err error) {
	if req.Checkpoint != "" {
		return nil, unsupported("restoring a checkpoint")
	}
	options, err := runtime.Decode(req.Options)
	if err != nil {
		return nil, err
	}
	rt, err := options.Runtime(s.Bundle, s.Namespace)
	if err != nil {
		return nil, err
	}
	rt.Reaper, rt.Spans = s.Reaper, s.Spans
	p := newProcess("", stdio.Spec{
		Namespace: s.Namespace, ID: req.ID, Terminal: req.Terminal, Stdin: req.Stdin, Stdout: req.Stdout, Stderr: req.Stderr,
		UID: options.IoUID, GID: options.IoGID,
	})

	s.mu.Lock()
	if s.init != nil {
		s.mu.Unlock()
		return nil, &stages.Error{Kind: stages.Conflict, Thing: req.ID, Err: errors.New("this shim has a task already")}
	}
	s.id, s.runtime, s.init, s.execs = req.ID, rt, p, map[string]*process{}
	s.mu.Unlock()
	defer func() {
		if err != nil {
			s.mu.Lock()
			s.init = nil
			s.mu.Unlock()
		}
	}()

	if s.shared, err = sharesPIDs(s.Bundle); err != nil {
		return nil, err
	}
	if err := rt.Save(); err != nil { // for the delete verb, should this process be killed
		return nil, err
	}
	if err := s.mount(ctx, req); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			UnmountRootfs(s.rootfs())
		}
	}()
	if err := s.openStreams(ctx, p); err != nil {
		return nil, err
	}
	if err := s.runCreate(ctx, p); err != nil {
		return nil, err
	}
	s.Publisher.Publish("/tasks/create", &wire.TaskCreate{
		ContainerID: req.ID, Bundle: s.Bundle, Rootfs: req.Rootfs, Pid: uint32(p.child.PID),
		IO: &wire.TaskIO{Stdin: req.Stdin, Stdout: req.Stdout, Stderr: req.Stderr, Terminal: req.Terminal},
	}, nil)
	return &wire.CreateTaskResponse{Pid: uint32(p.child.PID)}, nil
}

func (s *Service) mount(ctx context.Context, req *wire.CreateTaskRequest) (err error) {
	_, sp := span.Start(ctx, stages.ShimRootfsMount)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	return MountRootfs(req.Rootfs, s.rootfs())
}

func (s *Service) openStreams(ctx context.Context, p *process) (err error) {
	_, sp := span.Start(ctx, stages.ShimStdioOpen)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	streams, err := stdio.Open(p.request, s.Reaper)
	if err != nil {
		return err
	}
	s.mu.Lock()
	p.streams = streams
	closed := p.closeIO
	s.mu.Unlock()
	if closed {
		streams.CloseStdin()
	}
	return nil
}

// runCreate runs the runtime and adopts what it leaves behind.
func (s *Service) runCreate(ctx context.Context, p *process) (err error) {
	ctx, sp := span.Start(ctx, stages.ShimRuntimeCreate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	p.order.Lock() // an exit before this is over waits
	defer p.order.Unlock()
	pidFile := reap.InitFile(s.Bundle)
	err = s.launch(p, func(console string, adopt func() error) error {
		return s.runtime.Create(ctx, s.id, pidFile, console, p.streams.Child(), adopt)
	}, func() error { return s.adopt(ctx, p, pidFile) })
	if err != nil {
		p.streams.Close()
		if p.child != nil { // it was made, and then something of ours failed
			s.runtime.Delete(ctx, s.id, true)
		}
		return err
	}
	group := cgroup.Of(p.child.PID)
	s.mu.Lock()
	s.group, s.memory = group, memory{kills: group.OOMKills()}
	s.mu.Unlock()
	return nil
}

// launch runs the runtime for p, with a console socket if p wants a terminal, and begins the copies.
func (s *Service) launch(p *process, run func(console string, adopt func() error) error, adopt func() error) error {
	if !p.request.Terminal {
		if err := run("", adopt); err != nil {
			return err
		}
		p.streams.Begin(nil)
		return nil
	}
	console, err := stdio.ListenConsole(filepath.Join(s.Sockets, fmt.Sprintf("c%d-%s", os.Getpid(), shortExec(p.exec))))
	if err != nil {
		return &stages.Error{Step: stages.ShimStdioOpen, Kind: stages.Internal, Thing: "console socket", Err: err}
	}
	defer console.Close()
	if err := run(console.Path(), adopt); err != nil {
		return err
	}
	master, err := console.Receive()
	if err != nil {
		return &stages.Error{Step: stages.ShimStdioOpen, Kind: stages.Internal, Thing: "terminal", Err: err}
	}
	p.streams.Begin(master)
	return nil
}

// adopt takes charge of the process that the runtime named and left. By now the kernel has made it our child: the runtime is dead.
func (s *Service) adopt(ctx context.Context, p *process, pidFile string) (err error) {
	ctx, sp := span.Start(ctx, stages.ShimAdopt)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	pid := reap.ReadPID(pidFile)
	if pid == 0 {
		return fmt.Errorf("the runtime wrote no pid into %s", pidFile)
	}
	sp.SetInt("hull.child", int64(pid))
	p.trace = context.WithoutCancel(ctx)
	child, err := s.Reaper.Adopt(pid, func(wait func() reap.Exit) {
		_, sp := span.Start(p.trace, stages.ShimReap)
		e := wait()
		sp.End(nil)
		go s.exited(p, e)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	p.child = child
	s.mu.Unlock()
	return nil
}

// Start lets the container's first process go on to the user's program, or starts an executed process.
func (s *Service) Start(ctx context.Context, req *wire.StartRequest) (*wire.StartResponse, error) {
	p, err := s.find(req.ExecID)
	if err != nil {
		return nil, err
	}
	p.order.Lock()
	defer p.order.Unlock()
	s.mu.Lock()
	dead, started := p.dead, p.started
	s.mu.Unlock()
	switch {
	case dead:
		return nil, wrongState(req.ID, "the process is dead")
	case started:
		return nil, wrongState(req.ID, "started already")
	case p.exec != "":
		return s.startExec(ctx, p)
	case p.child == nil:
		return nil, wrongState(req.ID, "not created yet")
	}
	if err := s.runStart(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	p.started = true
	s.mu.Unlock()
	s.Publisher.Publish("/tasks/start", &wire.TaskStart{ContainerID: s.id, Pid: uint32(p.child.PID)}, nil)
	go s.watchMemory()
	return &wire.StartResponse{Pid: uint32(p.child.PID)}, nil
}

func (s *Service) runStart(ctx context.Context) (err error) {
	ctx, sp := span.Start(ctx, stages.ShimRuntimeStart)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	return s.runtime.Start(ctx, s.id)
}

// sharesPIDs reports whether the container runs in somebody else's pid namespace, where the death of its first process does not end the
// others.
func sharesPIDs(bundle string) (bool, error) {
	b, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err != nil {
		return false, &stages.Error{Kind: stages.Invalid, Thing: "config.json", Err: err}
	}
	var config struct {
		Linux struct {
			Namespaces []struct{ Type, Path string } `json:"namespaces"`
		} `json:"linux"`
	}
	if err := json.Unmarshal(b, &config); err != nil {
		return false, &stages.Error{Kind: stages.Invalid, Thing: "config.json", Err: err}
	}
	for _, n := range config.Linux.Namespaces {
		if n.Type == "pid" {
			return n.Path != "", nil
		}
	}
	return true, nil
}

// freeze pauses or resumes the container.
func (s *Service) freeze(ctx context.Context, on bool) (*wire.Empty, error) {
	if _, err := s.running(""); err != nil {
		return nil, err
	}
	verb := s.runtime.Resume
	if on {
		verb = s.runtime.Pause
	}
	if err := verb(ctx, s.id); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.paused = on
	s.mu.Unlock()
	if on {
		s.Publisher.Publish("/tasks/paused", &wire.TaskPaused{ContainerID: s.id}, nil)
	} else {
		s.Publisher.Publish("/tasks/resumed", &wire.TaskResumed{ContainerID: s.id}, nil)
	}
	return &wire.Empty{}, nil
}

// logError reports what nobody is there to be told.
func logError(what string, err error) {
	if err != nil && !errors.Is(err, unix.ESRCH) {
		slog.Error(what, "err", err)
	}
}
