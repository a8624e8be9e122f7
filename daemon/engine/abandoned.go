package engine

import (
	"context"
	"time"

	"hull/stages"
	"hull/trace/span"
)

// removeAbandoned takes away the container of a run under the stage debugger whose user has gone at a stop, by `q`, by Ctrl-C or because the
// client was killed: by then hull-trace lets the steps that have not begun fail, and what the others have made is nobody's. It returns when the
// debugger is gone, whichever way.
func (e *Engine) removeAbandoned(ctx context.Context, id string) {
	if !span.Abandoned(ctx) {
		return
	}
	for {
		err := e.Remove(ctx, id, true)
		switch stages.KindOf(err) {
		case stages.Conflict: // it is being started, or removed, at this moment
			time.Sleep(20 * time.Millisecond)
			continue
		case stages.NotFound:
			return
		}
		logError("an abandoned container", id, err)
		return
	}
}
