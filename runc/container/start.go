package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"hull/runc/hook"
	"hull/runc/linux"
	"hull/runc/process"
	"hull/stages"
	"hull/trace/span"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Start lets a created container's first process go on to the user's program, and returns when it has: the end of file on the FIFO is
// execve(2) closing it. If execve fails, the errno comes over the FIFO and is the error.
//
// The startContainer hooks run before, the poststart hooks after that. If one that may not fail does, the container is ended.
func Start(ctx context.Context, root, id string, warn func(string)) error {
	s, err := Find(root, id)
	if err != nil {
		return err
	}
	if err := s.startCreated(ctx, warn); err != nil {
		return err
	}
	return s.started(ctx, warn)
}

// Start is the same by the process that has made the container: it holds all that Start would look up.
func (c *Created) Start(ctx context.Context) error {
	if err := flock(c.dir, unix.LOCK_EX); err != nil {
		return err
	}
	err := c.state.start(ctx, c.PIDFD, c.warn)
	if unlock := flock(c.dir, unix.LOCK_UN); err == nil {
		err = unlock
	}
	if err != nil {
		return err
	}
	return c.state.started(ctx, c.warn)
}

// startCreated starts the container if it is one that can be.
func (s *State) startCreated(ctx context.Context, warn func(string)) error {
	lock, err := s.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	switch s.Status() {
	case specs.StateRunning:
		return s.cannotStart("an already running container")
	case specs.StateStopped:
		return s.cannotStart("a container that has stopped")
	case specs.StateCreating:
		return s.cannotStart("a container that is still being created")
	}
	pidfd, err := s.pidfd()
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	return s.start(ctx, pidfd, warn)
}

func (s *State) cannotStart(what string) error {
	return &stages.Error{Step: stages.RuncStart, Kind: stages.Conflict, Thing: "container " + strconv.Quote(s.ID), Err: errors.New("cannot start " + what)}
}

// started runs the hooks that come after it, without the lock: they may call the runtime.
func (s *State) started(ctx context.Context, warn func(string)) error {
	if s.stopsOnPoststart() {
		warn = nil
	}
	return s.orEnd(s.call(ctx, hook.Poststart, s.PID, hook.Here, warn))
}

// orEnd ends the container if a hook has failed.
func (s *State) orEnd(failure error) error {
	if failure != nil {
		s.end()
	}
	return failure
}

// start opens the FIFO's other end, and reads what the first process has to say there.
func (s *State) start(ctx context.Context, pidfd int, warn func(string)) error {
	if err := s.orEnd(s.startHooks(ctx, warn)); err != nil {
		return err
	}
	// Non-blocking: without it open(2) would wait for the other end for ever if the process has died meanwhile (fifo(7)).
	path := filepath.Join(s.dir, fifoFile)
	fifo, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return s.cannotStart("an already running container")
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fifo)

	var seen time.Time
	for {
		gone, err := wait(fifo, pidfd)
		if err != nil {
			return err
		}
		r, ok, err := linux.ReadReport(fifo)
		switch {
		case errors.Is(err, unix.EAGAIN) && !gone:
			continue
		case err == nil && ok && r.Start:
			seen = time.Now()
			if err := os.Remove(path); err != nil { // created becomes running
				return err
			}
			continue
		case err == nil && ok && r.Why != 0:
			return span.GateError(r.Step, s.Program, r.Errno, r.Why)
		case err == nil && ok && r.Step == stages.RuncInitExec:
			return process.NotFound(r.Step, s.Program, r.Errno)
		case err == nil && ok:
			return &stages.Error{Step: r.Step, Kind: stages.Internal, Thing: "container " + strconv.Quote(s.ID), Err: r.Errno}
		case seen.IsZero() && (gone || err != nil):
			return s.cannotStart("a container that has stopped")
		case seen.IsZero():
			continue // end of file: the other end is not open yet
		case err != nil:
			return err
		}
		span.Record(ctx, span.Finished{Step: stages.RuncInitExec, Instance: s.Program, Start: seen, End: time.Now(), PID: s.PID, PIDStart: s.PIDStart, TID: s.PID})
		return nil
	}
}

// wait waits until the FIFO has something to say, or the process is gone (poll(2); a pidfd becomes readable when its process ends).
func wait(fifo, pidfd int) (gone bool, err error) {
	fds := []unix.PollFd{{Fd: int32(fifo), Events: unix.POLLIN}, {Fd: int32(pidfd), Events: unix.POLLIN}}
	if _, err := linux.Retry(func() (int, error) { return unix.Poll(fds, -1) }); err != nil {
		return false, fmt.Errorf("poll: %w", err)
	}
	return fds[1].Revents != 0, nil
}
