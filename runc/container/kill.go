package container

import (
	"errors"
	"fmt"
	"strconv"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Kill sends a signal to the container's first process, or to all of its processes. The words "container not running" are what callers
// look for.
func Kill(root, id string, signal unix.Signal, all bool) error {
	s, err := Find(root, id)
	if err != nil {
		return err
	}
	status := s.Status()
	if all {
		// Also of a container whose first process is gone: without a pid namespace of its own the others live on.
		return s.killAll(signal)
	}
	if status != specs.StateCreated && status != specs.StateRunning {
		return notRunning(id)
	}
	pidfd, err := s.pidfd()
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	if err := unix.PidfdSendSignal(pidfd, signal, nil, 0); errors.Is(err, unix.ESRCH) {
		return notRunning(id)
	} else if err != nil {
		return &stages.Error{Step: stages.RuncKill, Kind: stages.Internal, Thing: "container " + strconv.Quote(id), Err: fmt.Errorf("pidfd_send_signal: %w", err)}
	}
	if signal == unix.SIGKILL {
		return s.thaw()
	}
	return nil
}

func notRunning(id string) error {
	return &stages.Error{Step: stages.RuncKill, Kind: stages.Conflict, Thing: "container " + strconv.Quote(id), Err: errors.New("container not running")}
}

// pidfd opens the first process by descriptor, and checks only then that it is the same process: between a look and a kill by number the
// number could have become another's (pidfd_open(2), Linux 5.3).
func (s *State) pidfd() (int, error) {
	fd, err := unix.PidfdOpen(s.PID, 0)
	if err != nil {
		return -1, notRunning(s.ID)
	}
	if !s.alive() {
		unix.Close(fd)
		return -1, notRunning(s.ID)
	}
	return fd, nil
}

// killAll signals every process in the container's cgroup. SIGKILL is done by the group itself, which no fork can outrun.
func (s *State) killAll(signal unix.Signal) error {
	switch {
	case s.Cgroup == nil:
		return nil
	case len(s.Cgroup.Members) == 0 && signal == unix.SIGKILL && s.OwnPIDs: // its end ends all others (pid_namespaces(7))
		return s.end()
	case len(s.Cgroup.Members) == 0:
		return noCgroup(s.ID)
	}
	if signal == unix.SIGKILL {
		return s.Cgroup.Kill()
	}
	pids, err := s.Cgroup.PIDs()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return &stages.Error{Step: stages.RuncKill, Kind: stages.Internal, Thing: "pid " + strconv.Itoa(pid), Err: fmt.Errorf("kill: %w", err)}
		}
	}
	return nil
}

// noCgroup is the answer for a container of an ordinary user who may make no groups: which processes are its own nobody can tell.
func noCgroup(id string) error {
	return &stages.Error{Kind: stages.Unsupported, Thing: "container " + strconv.Quote(id), Err: errors.New("it has no cgroup, by which its processes could be found")}
}
