package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"hull/runc/cgroup"
	"hull/runc/hook"
	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Delete removes what create made: the cgroup and the state. A container that was never started is ended first; a running one only with
// force. With force, one that does not exist is no error. Then the poststop hooks run; that one fails is a warning.
func Delete(ctx context.Context, root, id string, force bool, warn func(string)) error {
	s, err := Find(root, id)
	if force && stages.KindOf(err) == stages.NotFound && err != nil {
		return forget(root, id)
	}
	if err != nil {
		return err
	}
	if force { // before the lock: an exec that ignores a pause holds that until its process runs
		if err := s.thaw(); err != nil {
			return err
		}
	}
	lock, err := s.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	switch status := s.Status(); {
	case status == specs.StateRunning && !force, status == specs.StateCreating && !force:
		status, _ := s.Now() // a paused one is to be called so
		return &stages.Error{Step: stages.RuncDelete, Kind: stages.Conflict, Thing: "container " + strconv.Quote(id), Err: fmt.Errorf("cannot delete container %s that is not stopped: %s", id, status), Hint: "use --force"}
	case status != specs.StateStopped:
		if err := s.end(); err != nil {
			return err
		}
	}
	return s.remove(ctx, warn)
}

// Delete is the same by the process that has made the container, when its first process has been reaped. Somebody else may have deleted it
// meanwhile, and even made another one of that name, which is none of our business.
func (c *Created) Delete(ctx context.Context) error {
	defer c.dir.Close()
	if err := flock(c.dir, unix.LOCK_EX); err != nil {
		return err
	}
	mine, err := c.dir.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(c.state.dir); err != nil || !os.SameFile(now, mine) {
		return nil
	}
	return c.state.remove(ctx, c.warn)
}

// End kills the first process and reaps it.
func (c *Created) End() {
	c.state.thaw()
	end(c.PID, c.PIDFD)
}

// remove is the end of every container: processes that outlived the first one, the groups, the state; then the poststop hooks.
func (s *State) remove(ctx context.Context, warn func(string)) error {
	if s.Cgroup != nil {
		if !s.OwnPIDs || s.PID == 0 {
			pids, err := s.Cgroup.PIDs()
			if err == nil {
				err = s.Cgroup.Kill()
			}
			if err != nil {
				return err
			}
			for _, pid := range pids { // of `run`, whose children orphans become; all others have ECHILD here
				linux.Retry(func() (int, error) { return unix.Wait4(pid, nil, 0, nil) })
			}
		}
		if err := s.Cgroup.Delete(); err != nil {
			return &stages.Error{Step: stages.RuncDelete, Kind: stages.Internal, Thing: "container " + strconv.Quote(s.ID), Err: err}
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	return s.call(ctx, hook.Poststop, 0, hook.Here, warn)
}

// forget removes what a create has left that was killed before it had a state to save: empty groups, and its directory. No process was made
// by then; a group that holds one is somebody else's.
func forget(root, id string) error {
	dir := filepath.Join(root, id)
	path, err := os.Readlink(filepath.Join(dir, groupLink))
	if err == nil {
		err = cgroup.RemoveEmpty(path)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// By name, one by one: a root that is not one of ours, and an id that is somebody's directory in it, must not cost its files.
	for _, name := range []string{stateFile + ".new", fifoFile, filterFile, groupLink} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := unix.Rmdir(dir); err != nil && err != unix.ENOENT {
		return &stages.Error{Step: stages.RuncDelete, Kind: stages.Conflict, Thing: dir, Err: err, Hint: "is --root the directory of the containers' states?"}
	}
	return nil
}

// end kills the first process and waits until it is gone; as it is nobody's child here, by its pidfd.
func (s *State) end() error {
	if s.PID == 0 {
		return nil
	}
	pidfd, err := s.pidfd()
	if err != nil {
		return nil // gone already
	}
	defer unix.Close(pidfd)
	if err := unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("pidfd_send_signal: %w", err)
	}
	if err := s.thaw(); err != nil {
		return err
	}
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	_, err = linux.Retry(func() (int, error) { return unix.Poll(fds, -1) })
	return err
}
