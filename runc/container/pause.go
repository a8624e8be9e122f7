package container

import (
	"errors"
	"strconv"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Pause freezes all of the container's processes. The words of the refusals are runc's.
func Pause(root, id string) error { return freeze(root, id, true) }

// Resume lets a paused container go on.
func Resume(root, id string) error { return freeze(root, id, false) }

func freeze(root, id string, on bool) error {
	s, err := Find(root, id)
	if err != nil {
		return err
	}
	refuse := func(text string) error {
		return &stages.Error{Kind: stages.Conflict, Thing: "container " + strconv.Quote(id), Err: errors.New(text)}
	}
	if s.Cgroup == nil {
		return refuse("container has no cgroup to freeze")
	}
	if !on {
		// Without the lock: an exec that ignores the pause holds it, and its process goes on only after this.
		if !s.Cgroup.Frozen() {
			return refuse("container not paused")
		}
		return s.Cgroup.Thaw()
	}
	lock, err := s.lock() // not while another process joins: see Exec
	if err != nil {
		return err
	}
	defer lock.Close()
	if status := s.Status(); status != specs.StateRunning && status != specs.StateCreated {
		return refuse("container not running")
	}
	return s.Cgroup.Freeze()
}

// thaw lets a frozen container's processes take a signal that ends them: on cgroup v1 they die only when they run again
// (cgroup-v1/freezer-subsystem.rst).
func (s *State) thaw() error {
	if s.Cgroup == nil || !s.Cgroup.Frozen() {
		return nil
	}
	return s.Cgroup.Thaw()
}
