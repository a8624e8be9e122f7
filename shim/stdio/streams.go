package stdio

import (
	"errors"
	"io"
	"os"
	"sync"

	"hull/shim/reap"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Streams are one process's three streams.
//
// The order of a life: Open before the runtime runs; Child's ends go to the runtime; Begin when it has returned; CloseStdin and Resize as
// asked; CloseInput when the process is dead; Drained when all its output has gone somewhere; Close.
type Streams struct {
	spec   Spec
	child  [3]*os.File
	in     *input
	inPipe *pipe
	out    [3]*pipe // 1 and 2 are used
	sink   [3]func(r io.Reader)
	finish []func() // when the copies are over
	log    *Log
	logger *reap.Child

	mu      sync.Mutex
	master  *os.File
	copies  sync.WaitGroup
	begun   bool
	drained chan struct{}
}

// Open opens everything a process's streams need, before the process exists. On an error nothing stays open.
func Open(spec Spec, reaper *reap.Reaper) (s *Streams, err error) {
	s = &Streams{spec: spec, drained: make(chan struct{})}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.openStdin(); err != nil {
		return s, err
	}
	if err := s.openOutputs(reaper); err != nil {
		return s, err
	}
	return s, nil
}

func (s *Streams) openStdin() error {
	if s.spec.Stdin == "" {
		return nil
	}
	t, err := parse(s.spec.Stdin)
	if err != nil {
		return err
	}
	if t.scheme != "fifo" {
		return stepError(stages.Invalid, s.spec.Stdin, errors.New("standard input is not a FIFO"))
	}
	if s.in, err = openInput(t.path); err != nil {
		return stepError(stages.Invalid, t.path, err)
	}
	if !s.spec.Terminal {
		if s.inPipe, err = newPipe(true, s.spec.UID, s.spec.GID); err != nil {
			return err
		}
		s.child[0] = s.inPipe.theirs
	}
	return nil
}

func (s *Streams) openOutputs(reaper *reap.Reaper) error {
	outputs := [3]string{Stdout: s.spec.Stdout, Stderr: s.spec.Stderr}
	if s.spec.Terminal {
		outputs[Stderr] = ""
	}
	first, err := parse(outputs[Stdout])
	if err != nil {
		return err
	}
	if first.scheme == "binary" && !ourselves(first.path) {
		return s.openLogger(first, reaper)
	}
	var file *os.File
	for n := Stdout; n <= Stderr; n++ {
		t, err := parse(outputs[n])
		if err != nil {
			return err
		}
		if t.scheme == "" && (!s.spec.Terminal || n == Stderr) {
			continue // the runtime gets /dev/null
		}
		if !s.spec.Terminal {
			if s.out[n], err = newPipe(false, s.spec.UID, s.spec.GID); err != nil {
				return err
			}
			s.child[n] = s.out[n].theirs
		}
		switch {
		case t.scheme == "": // a terminal that nobody reads must be emptied all the same
			s.sink[n] = func(r io.Reader) { io.Copy(io.Discard, r) }
		case t.scheme == "binary" && ourselves(t.path):
			if err := s.openLog(t); err != nil {
				return err
			}
			s.sink[n] = func(r io.Reader) { s.log.Copy(byte(n), r) }
		case t.scheme == "binary":
			return stepError(stages.Unsupported, outputs[n], errors.New("standard error has a logging program and standard output has none"))
		case t.scheme == "file":
			if file == nil || file.Name() != t.path {
				if file, err = os.OpenFile(t.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640); err != nil {
					return stepError(stages.Invalid, t.path, err)
				}
				s.onFinish(file.Close)
			}
			s.sink[n] = copyTo(file)
		default:
			f, err := openOutput(t.path)
			if err != nil {
				return stepError(stages.Invalid, t.path, err)
			}
			s.onFinish(f.Close)
			s.sink[n] = copyTo(f)
		}
	}
	return nil
}

// openLog makes our own log, once: stderr's URI is stdout's.
func (s *Streams) openLog(t target) error {
	if s.log != nil {
		return nil
	}
	log, err := NewLog(t.query.Get("log"), t.query.Get("attach"))
	if err != nil {
		return stepError(stages.Invalid, t.path, err)
	}
	s.log = log
	s.onFinish(func() error { log.Close(); return nil })
	return nil
}

// openLogger hands the outputs to a foreign logging program.
func (s *Streams) openLogger(t target, reaper *reap.Reaper) (err error) {
	var theirs [3]*os.File
	for n := Stdout; n <= Stderr; n++ {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			return os.NewSyscallError("pipe2", err)
		}
		r, w := os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe")
		defer r.Close()
		theirs[n] = r
		if s.spec.Terminal { // the master is copied into the first; the second ends at once
			if n == Stderr {
				w.Close()
				continue
			}
			s.sink[n] = copyTo(w)
			s.onFinish(w.Close)
			continue
		}
		if err := unix.Fchown(int(w.Fd()), s.spec.UID, s.spec.GID); err != nil {
			return os.NewSyscallError("fchown", err)
		}
		s.child[n] = w
	}
	s.logger, err = startLogger(s.spec, t, theirs[Stdout], theirs[Stderr], reaper)
	return err
}

func (s *Streams) onFinish(f func() error) { s.finish = append(s.finish, func() { f() }) }

// copyTo is a sink that hands everything on. The buffer is one pipe's capacity: a full pipe is moved in one go.
func copyTo(w *os.File) func(io.Reader) {
	return func(r io.Reader) {
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Read(buf)
			if n > 0 {
				if _, err := w.Write(buf[:n]); err != nil {
					io.Copy(io.Discard, r) // a full disk must not stop the container
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
}

// Child are the ends that the runtime gets; nil stands for /dev/null, or for the terminal.
func (s *Streams) Child() [3]*os.File { return s.child }

// Begin starts the copies, when the runtime has returned. master is the terminal's, or nil.
func (s *Streams) Begin(master *os.File) {
	// Our copies of the container's ends go: its death must be the last closing, which is the end of file we wait for.
	s.closeChild()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.master, s.begun = master, true
	for n := Stdout; n <= Stderr; n++ {
		if s.sink[n] == nil {
			continue
		}
		var r io.Reader = master
		if !s.spec.Terminal {
			r = s.out[n].ours
		}
		s.copies.Add(1)
		go func() {
			defer s.copies.Done()
			s.sink[n](r) // a terminal ends with EIO when its last other side is closed
		}()
	}
	if s.in != nil {
		var w io.WriteCloser = master
		if !s.spec.Terminal {
			w = s.inPipe.ours
		}
		go s.copyStdin(w)
	}
	go func() {
		s.copies.Wait()
		if s.logger != nil {
			<-s.logger.Done() // it has read the end
		}
		for _, f := range s.finish {
			f()
		}
		close(s.drained)
	}()
}

// copyStdin moves the FIFO into the container until the last writer has gone, or the container reads no more: then the FIFO's writers
// learn it as they would from the program itself. A terminal stays open: its input ending says nothing about its output.
func (s *Streams) copyStdin(w io.WriteCloser) {
	buf := make([]byte, 32<<10)
	for {
		n, err := s.in.read.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	s.CloseInput()
}

// CloseStdin drops our write end of the FIFO: end of file comes when its other writers have closed, and what they wrote has been read.
func (s *Streams) CloseStdin() {
	if s.in != nil {
		s.in.keep.Close()
	}
}

// CloseInput ends the standard input for good.
func (s *Streams) CloseInput() {
	if s.in == nil {
		return
	}
	s.in.keep.Close()
	s.in.read.Close()
	if s.inPipe != nil {
		s.inPipe.ours.Close()
	}
}

// Resize sets the terminal's window. Without a terminal there is nothing to do.
func (s *Streams) Resize(width, height uint16) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master == nil {
		return nil
	}
	return resize(s.master, width, height)
}

// Drained is closed when all output has gone to its reader, its file or its log.
func (s *Streams) Drained() <-chan struct{} { return s.drained }

// Close ends what is left, also copies that are still blocked: their readers never came.
func (s *Streams) Close() {
	s.closeChild()
	s.CloseInput()
	for _, p := range s.out {
		if p != nil {
			p.ours.Close()
		}
	}
	s.mu.Lock()
	begun := s.begun
	if s.master != nil {
		s.master.Close()
		s.master = nil
	}
	s.mu.Unlock()
	if s.logger != nil {
		s.logger.Signal(unix.SIGTERM) // containerd ends a logger so as well
	}
	if !begun {
		for _, f := range s.finish {
			f()
		}
		return
	}
	select {
	case <-s.drained:
	default:
		for _, f := range s.finish { // a copy that is blocked in its write gets an error
			f()
		}
	}
}

func (s *Streams) closeChild() {
	for i, f := range s.child {
		if f != nil {
			f.Close()
			s.child[i] = nil
		}
	}
}
