package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"hull/stages"
	"hull/stages/detach"

	"github.com/moby/moby/api/types/events"
	"golang.org/x/sys/unix"
)

const (
	frameHeader = 8 // docker's stdcopy frame: stream, three zero bytes, length (big-endian)
	frameStderr = 2
)

// AttachOptions say which streams a client wants.
type AttachOptions struct {
	Stdin, Stdout, Stderr bool
	DetachKeys            string // that end the attachment of a terminal; "" for docker's
}

// An Attachment is one client's place at a container's streams.
type Attachment struct {
	TTY bool // the container has a terminal: output is raw bytes, not frames

	engine    *Engine
	container *Container
	options   AttachOptions
	stdin     string // the FIFO, if the client's input goes there
	stdinOnce bool

	once      sync.Once
	conn      net.Conn
	ready     chan struct{} // conn is set
	started   chan struct{} // the program runs
	abandoned chan struct{} // there will be no output
	done      chan struct{} // all output has been handed over
	startOnce sync.Once
	failOnce  sync.Once
	doneOnce  sync.Once
}

// A Client is the other end of an attachment: a hijacked HTTP connection.
type Client interface {
	io.Reader
	io.Writer
	CloseWrite() error
	SetReadDeadline(time.Time) error
	Close() error
	// Left returns when the peer has closed its socket for good, not when it has only ended its input; or when Close is called.
	Left()
}

// Attach takes a place at the container's streams; it must be served or cancelled. At a container that does not run yet, output
// begins with its start and nothing of it is missed.
func (e *Engine) Attach(ctx context.Context, ref string, o AttachOptions) (*Attachment, error) {
	c, err := e.registry.find(ref)
	if err != nil {
		return nil, err
	}
	rec := c.Record()
	if o.DetachKeys != "" {
		if _, err := detach.Parse(o.DetachKeys); err != nil {
			return nil, failure(stages.Invalid, "%v", err)
		}
	}
	a := &Attachment{
		TTY: rec.Config.Tty, engine: e, container: c, options: o, stdinOnce: rec.Config.StdinOnce,
		ready: make(chan struct{}), started: make(chan struct{}), abandoned: make(chan struct{}), done: make(chan struct{}),
	}
	if o.Stdin && rec.Config.OpenStdin {
		a.stdin = e.streamPaths(c.ID).stdin
	}
	c.streams.mu.Lock()
	if c.streams.attached == nil {
		c.streams.attached = map[*Attachment]bool{}
	}
	c.streams.attached[a] = true
	open, started := c.streams.open, c.streams.started
	c.streams.mu.Unlock()
	if open {
		if err := a.connect(ctx, e.streamPaths(c.ID).socket); err != nil {
			a.Cancel()
			return nil, err
		}
		if started {
			a.start()
		}
	}
	e.events.container(events.ActionAttach, rec)
	return a, nil
}

// connect dials once, whoever comes first: the start, or the attach that sees it under way.
func (a *Attachment) connect(ctx context.Context, socket string) (err error) {
	a.once.Do(func() {
		if a.conn, err = hello(ctx, socket); err == nil {
			close(a.ready)
		}
	})
	return err
}

func (a *Attachment) start()   { a.startOnce.Do(func() { close(a.started) }) }
func (a *Attachment) abandon() { a.failOnce.Do(func() { close(a.abandoned) }) }

// Cancel gives the place up without serving it.
func (a *Attachment) Cancel() {
	a.leave()
	a.once.Do(func() {}) // a start that is about to dial for us does not any more
	if a.conn != nil {
		a.conn.Close()
	}
	a.finished()
}

// finished says that the client has all the output it will get.
func (a *Attachment) finished() { a.doneOnce.Do(func() { close(a.done) }) }

func (a *Attachment) leave() {
	s := &a.container.streams
	s.mu.Lock()
	delete(s.attached, a)
	s.mu.Unlock()
}

// Serve moves bytes until the output has ended or the client has left, and closes the client. A client's half-close is the end of its
// input and nothing else: it goes on reading output.
func (a *Attachment) Serve(ctx context.Context, client Client) {
	defer a.Cancel()
	left := make(chan struct{})
	go func() { client.Left(); close(left) }()
	defer func() { client.Close(); <-left }()

	select {
	case <-a.ready:
	case <-left:
		return
	case <-a.abandoned:
		select {
		case <-a.ready: // both: the run was shorter than this select
		default:
			farewell(client)
			return
		}
	}
	outputEnded := make(chan struct{})
	go func() {
		select {
		case <-left:
			a.conn.Close() // wakes the copy below; the writer no longer waits for this client
		case <-outputEnded:
		}
	}()
	input := make(chan struct{})
	go func() {
		defer close(input)
		if a.stdin != "" {
			a.copyStdin(ctx, client, outputEnded)
		}
	}()
	if a.stdin != "" && !a.options.Stdout && !a.options.Stderr {
		go func() { <-input; a.conn.Close() }() // a client that only sends is done when it has sent
	}
	copyFrames(client, a.conn, a.options, a.TTY)
	select {
	case <-left: // but what it has sent before is the container's
		select {
		case <-input:
		case <-a.abandoned:
		}
	default:
	}
	close(outputEnded)
	a.finished()
	client.CloseWrite()
	client.SetReadDeadline(time.Now().Add(drainLimit))
	<-input
	farewell(client)
}

// farewell ends the output and reads on until the client has closed, for a while: a UNIX socket that is closed with unread bytes is a
// connection reset for its peer, and what the peer has not read yet is lost.
func farewell(client Client) {
	client.CloseWrite()
	client.SetReadDeadline(time.Now().Add(drainLimit))
	io.Copy(io.Discard, client)
}

// copyStdin carries the client's input to the container, and its end as CloseIO if the container wants only one client (docker's StdinOnce).
// With a terminal an end is not passed on: the terminal would go with it.
func (a *Attachment) copyStdin(ctx context.Context, client io.Reader, stop <-chan struct{}) {
	select {
	case <-a.started:
	case <-stop:
		return
	}
	// O_RDWR (fifo(7)): the open never waits for the shim, and a shim that is gone is no SIGPIPE. Non-blocking, so that Close wakes a write.
	fifo, err := os.OpenFile(a.stdin, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		logError("attach: stdin", a.container.ID, err)
		return
	}
	var once sync.Once
	closeFifo := func() { once.Do(func() { fifo.Close() }) }
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-stop: // the program has ended without reading everything: nobody will
		case <-finished:
		}
		closeFifo()
	}()
	if a.TTY {
		if client, err = detach.NewReader(client, a.options.DetachKeys); err != nil {
			return
		}
	}
	_, err = io.Copy(fifo, client)
	closeFifo() // before CloseIO: the container reads an end of file only when no write end is left
	if errors.Is(err, detach.Err) {
		a.engine.events.container(events.ActionDetach, a.container.Record())
		a.conn.Close() // ends the output as well
		return
	}
	if errors.Is(err, os.ErrClosed) || !a.stdinOnce || a.TTY {
		return
	}
	if err := a.engine.ctd.CloseStdin(context.WithoutCancel(ctx), a.container.ID); err != nil && stages.KindOf(err) != stages.NotFound {
		logError("attach: close stdin", a.container.ID, err)
	}
}

// copyFrames hands the wanted frames over as they are, or their payload if raw, until the writer closes.
func copyFrames(w io.Writer, r io.Reader, o AttachOptions, raw bool) error {
	buf := make([]byte, 32<<10)
	for {
		header := buf[:frameHeader]
		if _, err := io.ReadFull(r, header); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		left := int(binary.BigEndian.Uint32(header[4:]))
		wanted := o.Stdout
		if header[0] == frameStderr {
			wanted = o.Stderr
		}
		if wanted && !raw && left > 0 {
			if _, err := w.Write(header); err != nil {
				return err
			}
		}
		for left > 0 {
			n, err := r.Read(buf[:min(left, len(buf))])
			if n > 0 && wanted {
				if _, err := w.Write(buf[:n]); err != nil {
					return err
				}
			}
			left -= n
			if err != nil && left > 0 {
				return fmt.Errorf("output ends inside a frame: %w", err)
			}
		}
	}
}
