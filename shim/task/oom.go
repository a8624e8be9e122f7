package task

import (
	"log/slog"

	"hull/shim/cgroup"
	"hull/shim/wire"
)

// memory is what is known about the container's use of its memory. Guarded by Service.mu.
type memory struct {
	watch *cgroup.Watch
	kills uint64 // the group's count when it became ours
	told  bool   // that it has run out
}

// watchMemory has containerd told when the container's memory runs out while it lives.
func (s *Service) watchMemory() {
	watch, err := s.group.WatchOOM(s.outOfMemory)
	if err != nil {
		slog.Warn("memory events", "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.init == nil || s.init.dead { // it was quicker
		watch.Close()
		return
	}
	s.memory.watch = watch
}

func (s *Service) outOfMemory() {
	s.mu.Lock()
	s.memory.told = true
	s.mu.Unlock()
	s.Publisher.Publish("/tasks/oom", &wire.TaskOOM{ContainerID: s.id}, nil)
}

// killedForMemory ends the watch when the first process is dead, and reports whether the kernel has killed one of the container's for
// memory. Whoever is told so is told before the exit, also if the process was dead before its memory's end was noticed.
func (s *Service) killedForMemory() bool {
	s.mu.Lock()
	m := s.memory
	s.mu.Unlock()
	m.watch.Close()
	killed := s.group.OOMKills() > m.kills
	if killed && !m.told {
		s.outOfMemory()
	}
	return killed
}
