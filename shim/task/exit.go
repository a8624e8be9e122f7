package task

import (
	"context"
	"time"

	"hull/shim/reap"
	"hull/shim/wire"
	"hull/stages"
	"hull/trace/span"

	"golang.org/x/sys/unix"
)

// drainLimit is how long an exit's report waits for the process's output to reach its reader. Usually that is no time at all; it is this
// long if nobody reads, or if a child of the process holds its streams open. dockerd waits as long.
const drainLimit = 2 * time.Second

// exited is what happens, in this order, when a process of ours has been reaped.
func (s *Service) exited(p *process, e reap.Exit) {
	// 1. A start that is under way is answered and its event queued first.
	p.order.Lock()
	//lint:ignore SA2001 taking the lock is the wait
	p.order.Unlock()

	if p.exec == "" {
		// 2. In a pid namespace of others the container's other processes live on: they end with the first one, as they would in its own.
		if s.shared {
			logError("kill the rest", s.runtime.Kill(p.trace, s.id, uint32(unix.SIGKILL), true))
		}
		// 3. The first process's exit is the last one.
		for _, x := range s.startedExecs() {
			<-x.reported
		}
		// 4. Why it died, and that, are written down before anybody is told.
		e.OOMKilled = s.killedForMemory()
		logError("exit record", s.record(p.trace, e))
	}
	s.mu.Lock()
	p.dead, p.exit = true, e
	streams := p.streams
	s.mu.Unlock()

	// 5. The output goes out.
	streams.CloseInput()
	select {
	case <-streams.Drained():
	case <-time.After(drainLimit):
	}

	// 6. Everybody is told: who waits, and containerd.
	close(p.exited)
	s.publishExit(p, e)
	close(p.reported)
	s.Flush()
}

// startedExecs are the executed processes whose exit has to come before the first one's.
func (s *Service) startedExecs() (list []*process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.execs {
		if x.child != nil {
			list = append(list, x)
		}
	}
	return list
}

func (s *Service) record(ctx context.Context, e reap.Exit) (err error) {
	_, sp := span.Start(ctx, stages.ShimExitRecord)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	return reap.WriteExit(s.Bundle, e)
}

func (s *Service) publishExit(p *process, e reap.Exit) {
	event := &wire.TaskExit{ContainerID: s.id, ID: p.exec, Pid: uint32(e.PID), ExitStatus: uint32(e.Status), ExitedAt: e.At}
	if p.exec == "" {
		event.ID = s.id
	}
	_, sp := span.Start(p.trace, stages.ShimExitPublish)
	s.Publisher.Publish("/tasks/exit", event, func() {
		sp.End(nil)
		s.Flush()
	})
}
