package engine

import (
	"context"

	"hull/daemon/containerd"
	"hull/stages"

	"github.com/moby/moby/api/types/events"
)

// execExited is the end of an exec: its code is recorded and told, and containerd may forget it.
func (e *Engine) execExited(ctx context.Context, exit containerd.Exit) {
	x, err := e.execs.find(exit.Exec)
	if err != nil {
		return // somebody else's
	}
	code := int(exit.Status)
	if !x.end(&code) {
		return
	}
	x.starting.Lock()
	defer x.starting.Unlock()
	e.execEvent(events.ActionExecDie, x, "exitCode", exitCode(code))
	if _, err := e.ctd.DeleteProcess(ctx, x.container.ID, x.ID); err != nil && stages.KindOf(err) != stages.NotFound {
		logError("exec: delete", x.container.ID, err)
	}
}

// execLost ends an exec of which nobody knows how it ended: it has no code, rather than a made-up one.
func (e *Engine) execLost(x *Exec) {
	if x.end(nil) {
		e.execEvent(events.ActionExecDie, x)
	}
}
