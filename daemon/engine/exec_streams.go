package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hull/stages"
	"hull/stages/detach"

	"github.com/moby/moby/api/types/events"
	"golang.org/x/sys/unix"
)

// execStreams are the FIFOs between an exec's process and its client. There is no log and no second client, so no writer is needed as for a
// container: the shim copies into the FIFOs, and the daemon reads them. What the daemon has not read waits there.
type execStreams struct {
	dir   string
	stdin string    // the FIFO, or ""
	path  [2]string // of the standard output and error
	out   [2]*os.File
	keep  [2]*os.File // write ends of our own until the shim has its: without a writer there is an end of file

	copies sync.WaitGroup
	once   sync.Once
}

// execRecord is what a later daemon must know of an exec that runs on.
const execRecord = "exec.json"

func (e *Engine) execDir(x *Exec) string {
	return filepath.Join(e.inst.Streams(), x.container.ID, "exec-"+x.ID[:16])
}

// makeExecStreams makes the FIFOs that the request asks for, and opens the output's before anything can be written.
func (e *Engine) makeExecStreams(x *Exec, attached bool) (s *execStreams, err error) {
	s = &execStreams{dir: e.execDir(x)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return s, err
	}
	record, err := json.Marshal(execSaved{x.ID, x.request})
	if err != nil {
		return s, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, execRecord), record, 0o600); err != nil {
		return s, err
	}
	if attached && x.request.AttachStdin {
		s.stdin = filepath.Join(s.dir, "stdin")
		if err := unix.Mkfifo(s.stdin, 0o600); err != nil {
			return s, err
		}
	}
	// A terminal is always read: a shim must have something to copy it to.
	for i, wanted := range []bool{attached && x.request.AttachStdout || x.request.Tty, attached && x.request.AttachStderr && !x.request.Tty} {
		if !wanted {
			continue
		}
		s.path[i] = filepath.Join(s.dir, []string{"stdout", "stderr"}[i])
		if err := unix.Mkfifo(s.path[i], 0o600); err != nil {
			return s, err
		}
		// Non-blocking (fifo(7)): the first does not wait for a writer, and the second finds a reader.
		if s.out[i], err = os.OpenFile(s.path[i], os.O_RDONLY|unix.O_NONBLOCK, 0); err != nil {
			return s, err
		}
		if s.keep[i], err = os.OpenFile(s.path[i], os.O_WRONLY|unix.O_NONBLOCK, 0); err != nil {
			return s, err
		}
	}
	return s, nil
}

// release drops our write ends: from here on the end of file is the shim's to give.
func (s *execStreams) release() {
	for i, f := range s.keep {
		if f != nil {
			f.Close()
			s.keep[i] = nil
		}
	}
}

func (s *execStreams) close() {
	s.once.Do(func() {
		s.release()
		for _, f := range s.out {
			if f != nil {
				f.Close()
			}
		}
		os.RemoveAll(s.dir)
	})
}

func (x *Exec) closeStreams() {
	x.mu.Lock()
	s := x.streams
	x.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// serveExec moves bytes until the output has ended and the exit is known, or the client has left. A client's half-close is the end of its
// input and nothing else. A client that leaves changes nothing for the process but that: it runs on, its output goes nowhere.
func (e *Engine) serveExec(ctx context.Context, x *Exec, client Client) {
	s := x.streams
	left := make(chan struct{})
	go func() { client.Left(); close(left) }()
	defer func() { client.Close(); <-left }()

	output := make(chan struct{})
	x.copyOutput(client)
	go func() { s.copies.Wait(); close(output) }()
	input, detached := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(input)
		if s.stdin != "" && e.execInput(ctx, x, client, output) {
			close(detached)
		}
	}()
	// Both: the client asks for the exit code once the stream has ended.
	for _, done := range []<-chan struct{}{output, x.ended} {
		select {
		case <-done:
		case <-detached:
			return
		case <-left:
			return
		}
	}
	farewell(client)
	<-input
}

// execInput carries the client's input to the process, and its end as CloseIO; with a terminal an end is not passed on, and the detach keys end
// the session: then it returns true.
func (e *Engine) execInput(ctx context.Context, x *Exec, client io.Reader, stop <-chan struct{}) (detached bool) {
	if x.request.Tty {
		keys, err := detach.NewReader(client, x.request.DetachKeys)
		if err != nil {
			return false // they were read at create
		}
		client = keys
	}
	switch err := carryInput(client, x.streams.stdin, stop); {
	case errors.Is(err, detach.Err):
		e.execEvent(events.ActionExecDetach, x)
		return true
	case errors.Is(err, os.ErrClosed) || x.request.Tty:
		return false
	}
	err := e.ctd.CloseProcessStdin(context.WithoutCancel(ctx), x.container.ID, x.ID)
	if err != nil && stages.KindOf(err) != stages.NotFound {
		logError("exec: close stdin", x.container.ID, err)
	}
	return false
}

// copyOutput reads the FIFOs to their end, for a client or, with nil, for nobody.
func (x *Exec) copyOutput(client io.Writer) {
	s := x.streams
	var mu sync.Mutex // frames of the two streams do not mix
	for i, f := range s.out {
		if f == nil {
			continue
		}
		s.copies.Add(1)
		go func() {
			defer s.copies.Done()
			buf := make([]byte, frameHeader+32<<10)
			buf[0] = byte(1 + i)
			there := client != nil
			readToEnd(f, buf[frameHeader:], x.ended, func(n int) {
				if !there {
					return // read on: a full FIFO would hold the process up
				}
				out := buf[:frameHeader+n]
				binary.BigEndian.PutUint32(out[4:], uint32(n))
				if x.request.Tty {
					out = out[frameHeader:]
				}
				mu.Lock()
				_, err := client.Write(out)
				mu.Unlock()
				there = err == nil
			})
		}()
	}
	go func() {
		s.copies.Wait()
		<-x.ended
		x.closeStreams()
	}()
}

// readToEnd hands over what comes until the end of file. A process that has ended may have left others behind that hold its streams open:
// then what is there a while after the exit is all.
func readToEnd(f *os.File, buf []byte, ended <-chan struct{}, took func(n int)) {
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-ended:
		case <-over:
			return
		}
		select {
		case <-time.After(drainLimit):
			f.SetReadDeadline(time.Unix(1, 0)) // wakes a read that waits
		case <-over:
		}
	}()
	for {
		n, err := f.Read(buf)
		if n > 0 {
			took(n)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return
		}
	}
	f.SetReadDeadline(time.Time{})
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	for n := 1; n > 0; {
		raw.Read(func(fd uintptr) bool { n, _ = unix.Read(int(fd), buf); return true })
		if n > 0 {
			took(n)
		}
	}
}
