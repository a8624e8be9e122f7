package task

import (
	"context"

	"hull/shim/wire"
)

// Stats is what the container uses, as the kernel counts it.
func (s *Service) Stats(context.Context, *wire.StatsRequest) (*wire.StatsResponse, error) {
	if _, err := s.find(""); err != nil {
		return nil, err
	}
	s.mu.Lock()
	group := s.group
	s.mu.Unlock()
	m := group.Metrics()
	if m == nil {
		return nil, notFound("the container's cgroup")
	}
	return &wire.StatsResponse{Stats: wire.Pack(m)}, nil
}
