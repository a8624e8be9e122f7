package task

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"hull/shim/stdio"
	"hull/shim/wire"
	"hull/stages"
)

// Exec notes down another process for the container. Nothing runs before Start; its FIFOs may not exist before Start either.
func (s *Service) Exec(_ context.Context, req *wire.ExecProcessRequest) (*wire.Empty, error) {
	first, err := s.running("")
	if err != nil {
		return nil, err
	}
	if s.Publisher.Full() {
		return nil, &stages.Error{
			Kind: stages.Unavailable, Thing: "exec " + req.ExecID, Err: errors.New("containerd takes no events"),
			Hint: "it is down, or its ttrpc socket does not answer",
		}
	}
	p := newProcess(req.ExecID, stdio.Spec{
		Namespace: s.Namespace, ID: req.ID, Terminal: req.Terminal, Stdin: req.Stdin, Stdout: req.Stdout, Stderr: req.Stderr,
		UID: first.request.UID, GID: first.request.GID,
	})
	p.spec = req.Spec.GetValue() // the runtime-spec's Process as JSON
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.execs[req.ExecID] != nil || req.ExecID == "" {
		return nil, &stages.Error{Kind: stages.Conflict, Thing: "exec " + req.ExecID, Err: errors.New("there is one already")}
	}
	s.execs[req.ExecID] = p
	s.Publisher.Publish("/tasks/exec-added", &wire.TaskExecAdded{ContainerID: s.id, ExecID: p.exec}, nil)
	return &wire.Empty{}, nil
}

// startExec runs `exec --detach`: the runtime leaves the process behind as it does for create.
func (s *Service) startExec(ctx context.Context, p *process) (*wire.StartResponse, error) {
	if err := s.openStreams(ctx, p); err != nil {
		return nil, err
	}
	// An exec id is the client's and may hold anything: it names no file.
	base := filepath.Join(s.Bundle, "exec-"+shortExec(p.exec))
	defer os.Remove(base + ".json")
	defer os.Remove(base + ".pid")
	err := os.WriteFile(base+".json", p.spec, 0o600)
	if err == nil {
		err = s.launch(p, func(console string, adopt func() error) error {
			return s.runtime.Exec(ctx, s.id, base+".json", base+".pid", console, p.streams.Child(), adopt)
		}, func() error { return s.adopt(ctx, p, base+".pid") })
	}
	if err != nil {
		p.streams.Close()
		return nil, err
	}
	s.mu.Lock()
	p.started = true
	s.mu.Unlock()
	s.Publisher.Publish("/tasks/exec-started", &wire.TaskExecStarted{ContainerID: s.id, ExecID: p.exec, Pid: uint32(p.child.PID)}, nil)
	return &wire.StartResponse{Pid: uint32(p.child.PID)}, nil
}

// shortExec is a file name for an exec id.
func shortExec(id string) string {
	if id == "" {
		return "init"
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

// execDetails tells the readers of Pids which process is which exec.
func execDetails(id string) *wire.Any { return wire.Pack(&wire.ProcessDetails{ExecID: id}) }
