package engine

import (
	"context"
	"strings"

	"hull/daemon/spec"
	"hull/stages"
	"hull/stages/detach"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// CreateExec notes down a process that is to be added to a running container. Nothing runs before StartExec.
func (e *Engine) CreateExec(ctx context.Context, ref string, req container.ExecCreateRequest) (id string, err error) {
	c, err := e.registry.find(ref)
	if err != nil {
		return "", err
	}
	_, sp := span.Start(e.join(ctx, c), stages.DaemonExecCreate)
	defer sp.End(&err)
	sp.Set(stages.AttrContainer, c.ID)
	if len(req.Cmd) == 0 || req.Cmd[0] == "" {
		return "", failure(stages.Invalid, "No exec command specified")
	}
	if err := c.takesExec(); err != nil {
		return "", err
	}
	if err := spec.CheckExec(&req); err != nil {
		return "", err
	}
	if req.DetachKeys != "" {
		if _, err := detach.Parse(req.DetachKeys); err != nil {
			return "", failure(stages.Invalid, "%w", err)
		}
	}
	if req.User == "" {
		req.User = c.Record().Config.User
	}
	x := &Exec{ID: newID(), container: c, request: req, ended: make(chan struct{})}
	e.execs.add(x)
	e.events.container(events.Action(string(events.ActionExecCreate)+": "+strings.Join(req.Cmd, " ")), c.Record(), "execID", x.ID)
	return x.ID, nil
}

// takesExec says why no process can be added now, in docker's words.
func (c *Container) takesExec() error {
	switch rec := c.Record(); {
	case rec.State.Status != container.StateRunning:
		return failure(stages.Conflict, "container %s is not running", c.ID)
	case rec.State.Paused:
		return failure(stages.Conflict, "container %s is paused, unpause the container before exec", c.ID)
	}
	return nil
}
