package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"hull/daemon/logfile"

	"github.com/moby/moby/api/types/container"
)

// LogOptions select what of a container's log is shown.
type LogOptions struct {
	Stdout, Stderr bool
	Follow         bool
	Timestamps     bool
	Details        bool
	Tail           int // lines; negative: all
	Since, Until   time.Time
}

// A Log is a container's log about to be read.
type Log struct {
	TTY bool // the container has a terminal: bytes are raw, not frames

	path    string
	options LogOptions
	follow  <-chan struct{}
}

// Logs finds a container's log. Following ends with the run that is going on now; at a container that does not run there is nothing to follow.
func (e *Engine) Logs(ref string, o LogOptions) (*Log, error) {
	c, err := e.registry.find(ref)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := &Log{TTY: c.rec.Config.Tty, path: e.store.Log(c.ID), options: o}
	if o.Follow && c.rec.State.Status == container.StateRunning {
		l.follow = c.next.done
	}
	return l, nil
}

// Write writes the log to w, flushing whenever there is nothing more for now.
func (l *Log) Write(ctx context.Context, w io.Writer) error {
	damaged, err := logfile.Read(ctx, l.path, logfile.Options{
		Tail: l.options.Tail, Since: l.options.Since, Until: l.options.Until, Follow: l.follow,
	}, func(e logfile.Entry) error {
		if e.Stream == "stderr" && !l.options.Stderr || e.Stream != "stderr" && !l.options.Stdout {
			return nil
		}
		text := e.Log
		if l.options.Details { // what a log driver was told to add; json-file has no such options here, and docker's separator stays
			text = " " + text
		}
		if l.options.Timestamps {
			text = e.Time.UTC().Format("2006-01-02T15:04:05.000000000Z07:00") + " " + text
		}
		return l.frame(w, e.Stream, text)
	})
	if err == nil && damaged > 0 { // a loss is never silent
		err = l.frame(w, "stderr", fmt.Sprintf("hull: %d bytes of this log are damaged and left out\n", damaged))
	}
	return err
}

func (l *Log) frame(w io.Writer, stream, text string) error {
	if l.TTY {
		_, err := io.WriteString(w, text)
		return err
	}
	frame := make([]byte, frameHeader, frameHeader+len(text))
	frame[0] = 1
	if stream == "stderr" {
		frame[0] = frameStderr
	}
	binary.BigEndian.PutUint32(frame[4:], uint32(len(text)))
	_, err := w.Write(append(frame, text...))
	return err
}
