package engine

import (
	"context"
	"time"

	"hull/stages"
	"hull/trace/span"
)

// abandoned takes away the container of a run under the stage debugger whose user has gone at a stop, by `q`, by Ctrl-C or because the client was
// killed: by then hull-trace lets the steps that have not begun fail, and what the others have made is nobody's. It returns when the debugger is
// gone, whichever way.
func (e *Engine) abandoned(ctx context.Context, id string) {
	span.Abandoned(ctx, func() {
		for {
			err := e.Remove(ctx, id, true)
			switch {
			case err == nil, stages.KindOf(err) == stages.NotFound:
				return
			case stages.KindOf(err) != stages.Conflict: // that is: it is being started, or removed, at this moment
				logError("an abandoned container", id, err)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}
