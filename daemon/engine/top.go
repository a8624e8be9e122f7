package engine

import (
	"context"

	"hull/daemon/top"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Top lists the container's processes as ps(1) would with the arguments; "" is -ef.
func (e *Engine) Top(ctx context.Context, ref, arguments string) (*container.TopResponse, error) {
	c, err := e.registry.find(ref)
	if err != nil {
		return nil, err
	}
	if !c.Running() {
		return nil, failure(stages.Conflict, "container %s is not running", c.ID)
	}
	columns, err := top.Parse(arguments)
	if err != nil {
		return nil, err
	}
	pids, err := e.ctd.PIDs(e.join(ctx, c), c.ID)
	if err != nil {
		return nil, err
	}
	titles, rows := columns.Rows(pids)
	e.events.container(events.ActionTop, c.Record())
	return &container.TopResponse{Titles: titles, Processes: rows}, nil
}
