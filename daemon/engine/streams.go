package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hull/stages"
	"hull/stages/instance"

	"golang.org/x/sys/unix"
)

// streams joins clients to the container's process: each attached client has a connection of its own to the log writer's socket
// (docs/seams.md, section 2), so a slow one holds nobody else's output back and no byte passes through a buffer of the daemon's.
type streams struct {
	mu       sync.Mutex
	open     bool // a task exists
	started  bool // and its program runs
	attached map[*Attachment]bool
}

// streamPaths are the files of one container's streams.
type streamPaths struct{ dir, stdin, socket, stdout string }

func (e *Engine) streamPaths(id string) streamPaths {
	dir := filepath.Join(e.inst.Streams(), id)
	p := streamPaths{dir: dir, stdin: filepath.Join(dir, "stdin"), socket: filepath.Join(dir, "attach.sock")}
	u := url.URL{Scheme: "binary", Path: e.runtime.Logger, RawQuery: url.Values{"log": {e.store.Log(id)}, "attach": {p.socket}}.Encode()}
	p.stdout = u.String()
	return p
}

// makeStreams makes the directory and, if the container has one, the FIFO of its standard input.
func (e *Engine) makeStreams(id string, stdin bool) (streamPaths, error) {
	p := e.streamPaths(id)
	if err := os.RemoveAll(p.dir); err != nil {
		return p, err
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return p, err
	}
	if !stdin {
		p.stdin = ""
		return p, nil
	}
	// mkfifo(3): bytes in it survive the daemon, and so does the container's read end.
	return p, unix.Mkfifo(p.stdin, 0o600)
}

// openStreams connects the clients that attached before the start. Each has seen the writer's hello when this returns: nothing that the
// program will write can be missed.
func (e *Engine) openStreams(ctx context.Context, c *Container) error {
	c.streams.mu.Lock()
	c.streams.open = true
	waiting := make([]*Attachment, 0, len(c.streams.attached))
	for a := range c.streams.attached {
		waiting = append(waiting, a)
	}
	c.streams.mu.Unlock()
	for _, a := range waiting {
		if err := a.connect(ctx, e.streamPaths(c.ID).socket); err != nil {
			return err
		}
	}
	return nil
}

// startStreams lets clients' input flow: the program runs.
func (c *Container) startStreams() {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	c.streams.open, c.streams.started = true, true
	for a := range c.streams.attached {
		a.start()
	}
}

// closeStreams is the end of a run. Clients that never got a connection (the start failed) are let go; the others read to the end.
func (c *Container) closeStreams() {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	c.streams.open, c.streams.started = false, false
	for a := range c.streams.attached {
		a.abandon()
		delete(c.streams.attached, a)
	}
}

// drained returns once every attached client has been sent all of the output, or has left, or is too slow to be waited for.
func (c *Container) drained(ctx context.Context, attached []*Attachment) {
	limit := time.NewTimer(drainLimit)
	defer limit.Stop()
	for _, a := range attached {
		select {
		case <-a.done:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// drainLimit is how long the answer to a wait is held back for clients that do not read (moby, daemon/monitor.go, waits as long). Their
// output is not cut: only the answer comes before its end.
const drainLimit = 2 * time.Second

func (c *Container) attachedNow() (list []*Attachment) {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	for a := range c.streams.attached {
		list = append(list, a)
	}
	return list
}

// hello dials the log writer and reads its first, empty frame: everything written after this moment will be sent.
func hello(ctx context.Context, socket string) (net.Conn, error) {
	conn, err := instance.Dial(ctx, "unix", socket)
	if err != nil {
		return nil, &stages.Error{Kind: stages.Unavailable, Thing: socket, Err: err, Hint: "does the runtime's shim run the logger hull-shim?"}
	}
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var frame [frameHeader]byte
	if _, err := io.ReadFull(conn, frame[:]); err != nil {
		conn.Close()
		return nil, &stages.Error{Kind: stages.Unavailable, Thing: socket, Err: fmt.Errorf("no hello from the log writer: %w", err)}
	}
	return conn, nil
}
