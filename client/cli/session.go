package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"hull/client/engine"
	"hull/stages"
	"hull/trace/span"
)

// A session is the client's side of an attached container: the stream, and the terminal while it is in raw mode.
type session struct {
	a       *app
	c       *engine.Client
	id      string
	o       *runOptions
	stream  *engine.Stream
	saved   *term.State // the terminal before raw mode; nil if it was left alone
	output  chan error  // the output's end
	leave   chan struct{}
	signals chan os.Signal
}

// attach opens the stream and starts to carry bytes both ways.
func (a *app) attach(ctx context.Context, c *engine.Client, id string, o *runOptions) (s *session, err error) {
	ctx, sp := span.Start(ctx, stages.ClientAttach)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return s, err
	}
	stream, err := c.Attach(ctx, id, o.interactive, o.tty)
	if err != nil {
		return nil, err
	}
	s = &session{a: a, c: c, id: id, o: o, stream: stream, output: make(chan error, 1), leave: make(chan struct{}, 1), signals: make(chan os.Signal, 64)}
	if o.tty && o.interactive && term.IsTerminal(int(a.in.Fd())) {
		// Raw mode: the container's terminal does the echoing and turns ^C into a signal, not ours (termios(3), cfmakeraw).
		if s.saved, err = term.MakeRaw(int(a.in.Fd())); err != nil {
			stream.Close()
			return nil, fmt.Errorf("terminal: raw mode: %w", err)
		}
	}
	go func() { s.output <- stream.CopyOutput(a.out, a.err) }()
	if o.interactive {
		go s.input()
	}
	return s, nil
}

// input carries the client's input. Its end closes the sending half of the connection: the container sees end of file, its output
// goes on. A container that has ended while input was still coming is no error of anybody.
func (s *session) input() {
	var in io.Reader = s.a.in
	if s.o.tty {
		in = &detachKeys{r: s.a.in}
	}
	_, err := io.Copy(s.stream, in)
	if err == errDetach {
		s.leave <- struct{}{}
		return
	}
	s.stream.CloseWrite()
}

// drain waits for the output's end, or for the user to leave.
func (s *session) drain() (detached bool, err error) {
	select {
	case err = <-s.output:
		s.restore()
		if err != nil {
			err = &exit{125, fmt.Errorf("reading the container's output: %w", err)}
		}
		return false, err
	case <-s.leave:
		s.close()
		return true, nil
	}
}

// catch collects the signals that reach this process from now on. It comes before the start: a signal in between would end this process
// and leave the container to itself.
func (s *session) catch() {
	// All signals: whichever the user sends is meant for the container. pass leaves out the few that are about this process.
	signal.Notify(s.signals)
}

// follow hands what catch has collected, and the terminal's size, to the container, until stop is called. It comes after the start has
// been answered: the daemon passes no signal to a container that it does not know to be running, even if that has begun to speak.
func (s *session) follow(ctx context.Context) (stop func()) {
	if s.o.tty {
		s.firstResize(ctx)
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case got := <-s.signals:
				s.pass(ctx, got.(syscall.Signal))
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(s.signals); close(done) }
}

func (s *session) pass(ctx context.Context, sig syscall.Signal) {
	switch sig {
	case unix.SIGWINCH:
		if s.o.tty {
			s.resize(ctx)
		}
	case unix.SIGCHLD, unix.SIGPIPE, unix.SIGURG, unix.SIGTTIN, unix.SIGTTOU: // ours; SIGURG is the Go scheduler's
	default:
		s.c.Kill(ctx, s.id, unix.SignalName(sig)) // fails when the container has just ended: then there is nobody to tell
	}
}

// firstResize tells the new terminal its size. The start has been answered, but the terminal may not be there yet in every daemon: docker's client
// asks up to ten times as well.
func (s *session) firstResize(ctx context.Context) {
	for wait := 10 * time.Millisecond; wait <= 100*time.Millisecond; wait += 10 * time.Millisecond {
		if s.resize(ctx) == nil {
			return
		}
		time.Sleep(wait)
	}
}

func (s *session) resize(ctx context.Context) error {
	cols, rows, err := term.GetSize(int(s.a.in.Fd()))
	if err != nil {
		return nil // our input is no terminal: the container's keeps the size it was made with
	}
	return s.c.Resize(ctx, s.id, uint(rows), uint(cols))
}

// restore puts the terminal back as it was.
func (s *session) restore() {
	if s.saved != nil {
		term.Restore(int(s.a.in.Fd()), s.saved)
		s.saved = nil
	}
}

func (s *session) close() {
	s.restore()
	s.stream.Close()
}
