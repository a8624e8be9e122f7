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
	"hull/stages/detach"
)

// sessionOptions say how a session behaves.
type sessionOptions struct {
	stdin      bool   // our input goes to the program
	tty        bool   // the program has a terminal
	detachKeys string // as the user wrote them; "" for docker's. They count with a terminal only
	sigProxy   bool   // signals that reach us are passed on
}

// A target is what a session's terminal and signals belong to: a container, or a program that is executed in one.
type target interface {
	resize(ctx context.Context, rows, cols uint) error
	signal(ctx context.Context, name string) error
}

// A session is the client's side of an attached program: the stream, and the terminal while it is in raw mode.
type session struct {
	a       *app
	o       sessionOptions
	stream  *engine.Stream
	target  target
	saved   *term.State // the terminal before raw mode; nil if it was left alone
	output  chan error  // the output's end
	leave   chan struct{}
	signals chan os.Signal
}

// newSession starts to carry bytes both ways. It takes the stream over, also if it fails.
func (a *app) newSession(stream *engine.Stream, to target, o sessionOptions) (s *session, err error) {
	s = &session{a: a, o: o, stream: stream, target: to, output: make(chan error, 1), leave: make(chan struct{}, 1), signals: make(chan os.Signal, 64)}
	var in io.Reader = a.in
	if o.tty {
		if in, err = detach.NewReader(a.in, o.detachKeys); err != nil {
			stream.Close()
			return nil, err
		}
	}
	if o.tty && o.stdin && term.IsTerminal(int(a.in.Fd())) {
		// Raw mode: the container's terminal does the echoing and turns ^C into a signal, not ours (termios(3), cfmakeraw).
		if s.saved, err = term.MakeRaw(int(a.in.Fd())); err != nil {
			stream.Close()
			return nil, fmt.Errorf("terminal: raw mode: %w", err)
		}
	}
	go func() { s.output <- stream.CopyOutput(a.out, a.err) }()
	if o.stdin {
		go s.input(in)
	}
	return s, nil
}

// input carries the client's input. Its end closes the sending half of the connection: the program sees end of file, its output
// goes on. A program that has ended while input was still coming is no error of anybody.
func (s *session) input(in io.Reader) {
	if _, err := io.Copy(s.stream, in); err == detach.Err {
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
	if s.o.sigProxy {
		// All signals: whichever the user sends is meant for the container. pass leaves out the few that are about this process.
		signal.Notify(s.signals)
		return
	}
	signal.Notify(s.signals, unix.SIGWINCH)
}

// follow hands what catch has collected, and the terminal's size, to the program, until stop is called. It comes after the start has
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
		s.target.signal(ctx, unix.SignalName(sig)) // fails when the container has just ended: then there is nobody to tell
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

// nudge has the program draw its screen again: the terminal gets one line more for a moment, as docker's attach does it.
func (s *session) nudge(ctx context.Context) {
	if rows, cols, ok := s.a.windowSize(); ok {
		s.target.resize(ctx, rows+1, cols)
	}
}

func (s *session) resize(ctx context.Context) error {
	rows, cols, ok := s.a.windowSize()
	if !ok {
		return nil // the program's terminal keeps the size it was made with
	}
	return s.target.resize(ctx, rows, cols)
}

// windowSize is the size of our terminal: our output's, as docker's, or else our input's.
func (a *app) windowSize() (rows, cols uint, ok bool) {
	out, isFile := a.out.(*os.File)
	if !isFile {
		out = a.in
	}
	w, h, err := term.GetSize(int(out.Fd()))
	if err != nil {
		w, h, err = term.GetSize(int(a.in.Fd()))
	}
	return uint(h), uint(w), err == nil
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
