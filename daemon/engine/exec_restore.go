package engine

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"golang.org/x/sys/unix"
)

// execSaved is an exec on disk, beside its FIFOs: for as long as it runs, and in the run directory.
type execSaved struct {
	ID      string
	Request container.ExecCreateRequest
}

// restoreExecs finds the execs that an earlier daemon has started in a running container. Their clients are gone with it; what they say
// is read and dropped, so that they do not stop at a full FIFO. How each is, or how it ended, is asked in reconcileExecs.
func (e *Engine) restoreExecs(c *Container) {
	files, _ := filepath.Glob(filepath.Join(e.inst.Streams(), c.ID, "exec-*", execRecord))
	for _, file := range files {
		dir := filepath.Dir(file)
		var saved execSaved
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &saved)
		}
		x := &Exec{ID: saved.ID, container: c, request: saved.Request, state: execRunning, ended: make(chan struct{})}
		if err != nil || len(saved.ID) < 16 || len(saved.Request.Cmd) == 0 || e.execDir(x) != dir {
			logError("restore: an exec's record is not whole", c.ID, os.RemoveAll(dir))
			continue
		}
		x.streams = &execStreams{dir: dir}
		for i, name := range []string{"stdout", "stderr"} {
			if f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
				x.streams.out[i] = f
			}
		}
		e.execs.add(x)
		x.copyOutput(nil)
	}
}

// reconcileExecs asks containerd about every exec that is believed to run: exits that nobody listened for are found here.
func (e *Engine) reconcileExecs(ctx context.Context, c *Container) {
	for _, x := range e.execs.all(c.ID) {
		x.mu.Lock()
		running := x.state == execRunning
		x.mu.Unlock()
		if !running {
			continue
		}
		switch alive, exit, err := e.ctd.ProcessState(ctx, c.ID, x.ID); {
		case err == nil && alive:
		case err == nil:
			e.execExited(ctx, exit)
		case stages.KindOf(err) == stages.NotFound:
			e.execLost(x)
		default:
			logError("restore: exec", c.ID, err) // containerd went away again; the next subscription asks again
		}
	}
}
