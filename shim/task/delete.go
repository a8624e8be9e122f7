package task

import (
	"context"
	"time"

	"hull/shim/wire"
)

// deleteDrain is how long Delete waits for output that nobody has taken yet; what is left then is lost.
const deleteDrain = 10 * time.Second

// Delete removes a dead process; for the first one, what the runtime and the mounts have left. A container that was created and never
// started is killed by it. Nothing of containerd's (FIFOs, the bundle) is touched.
func (s *Service) Delete(ctx context.Context, req *wire.DeleteRequest) (*wire.DeleteResponse, error) {
	p, err := s.find(req.ExecID)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	alive, started := p.child != nil && !p.dead, p.started
	s.mu.Unlock()
	if alive && started {
		return nil, wrongState(req.ID, "the process is running")
	}
	if p.exec == "" {
		if err := s.runtime.Delete(ctx, s.id, alive); err != nil {
			return nil, err
		}
	}
	resp := &wire.DeleteResponse{}
	if p.child != nil {
		<-p.reported
		resp.Pid, resp.ExitStatus, resp.ExitedAt = uint32(p.exit.PID), uint32(p.exit.Status), p.exit.At
		select {
		case <-p.streams.Drained():
		case <-time.After(deleteDrain):
		}
	}
	if p.streams != nil {
		p.streams.Close()
	}
	if p.exec != "" {
		s.mu.Lock()
		delete(s.execs, p.exec)
		s.mu.Unlock()
		return resp, nil
	}
	if err := UnmountRootfs(s.rootfs()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.init = nil
	s.mu.Unlock()
	s.Publisher.Publish("/tasks/delete", &wire.TaskDelete{
		ContainerID: s.id, ID: s.id, Pid: resp.Pid, ExitStatus: resp.ExitStatus, ExitedAt: resp.ExitedAt,
	}, nil)
	return resp, nil
}
