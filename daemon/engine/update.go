package engine

import (
	"context"

	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// Update changes a container's limits: in the kernel if it runs, and for its next run. If one of them cannot be had, nothing is changed.
func (e *Engine) Update(ctx context.Context, ref string, asked container.UpdateConfig) (resp container.UpdateResponse, err error) {
	resp.Warnings = []string{}
	c, err := e.registry.find(ref)
	if err != nil {
		return resp, err
	}
	ctx, cancel := detached(e.join(ctx, c))
	defer cancel()
	c.op.Lock()
	defer c.op.Unlock()
	refuse := func(err error) (container.UpdateResponse, error) {
		return resp, failure(stages.KindOf(err), "Cannot update container %s: %w", c.ID, err)
	}
	rec := c.Record()
	switch {
	case c.isGone():
		return resp, failure(stages.NotFound, "No such container: %s", ref)
	case rec.State.Status == container.StateDead:
		return refuse(failure(stages.Conflict, "container is marked for removal and cannot be \"update\""))
	case asked.RestartPolicy.Name != "" && rec.AutoRemove():
		return refuse(failure(stages.Conflict, "Restart policy cannot be updated because AutoRemove is enabled for the container"))
	}
	if err := spec.CheckRestartPolicy(asked.RestartPolicy); err != nil {
		return refuse(err)
	}
	merged, limits, warnings, err := spec.Update(rec.HostConfig.Resources, asked.Resources)
	if err != nil {
		return refuse(err)
	}
	old, err := e.ctd.Spec(ctx, c.ID)
	if err != nil {
		return refuse(err)
	}
	next, linux := *old, *old.Linux
	written := *limits
	written.Devices = nil
	if linux.Resources != nil {
		written.Devices = linux.Resources.Devices
	}
	linux.Resources, next.Linux = &written, &linux
	if err := e.ctd.SetSpec(ctx, c.ID, &next); err != nil {
		return refuse(err)
	}
	if rec.State.Status == container.StateRunning {
		if err := e.ctd.UpdateTask(ctx, c.ID, limits); err != nil {
			logError("update: undo", c.ID, e.ctd.SetSpec(ctx, c.ID, old))
			return refuse(err)
		}
	}
	err = e.change(c, func(r *store.Record) {
		host := *r.HostConfig // the old one may be being read
		host.Resources = merged
		if asked.RestartPolicy.Name != "" {
			host.RestartPolicy = asked.RestartPolicy
		}
		r.HostConfig = &host
	})
	if err != nil {
		return refuse(err)
	}
	e.events.container(events.ActionUpdate, c.Record())
	resp.Warnings = append(resp.Warnings, warnings...)
	return resp, nil
}
