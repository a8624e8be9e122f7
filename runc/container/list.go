package container

import (
	"errors"
	"os"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// List is all containers in the directory of states. One that is removed meanwhile, or whose state cannot be read, is left out; the
// warning says so.
func List(root string, warn func(string)) ([]*State, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*State
	for _, e := range entries {
		if e.Name() == filtersDir {
			continue
		}
		s, err := Find(root, e.Name())
		switch {
		case err == nil:
			all = append(all, s)
		case stages.KindOf(err) != stages.NotFound:
			warn(err.Error())
		}
	}
	return all, nil
}

// Processes are the pids of the container's processes, the first one's and all others'.
func Processes(root, id string) ([]int, error) {
	s, err := Find(root, id)
	if err != nil || s.Cgroup == nil {
		return nil, err
	}
	if len(s.Cgroup.Members) == 0 {
		return nil, noCgroup(id)
	}
	return s.Cgroup.PIDs()
}

// Owner is the user whose container it is: that of its directory.
func (s *State) Owner() uint32 {
	var st unix.Stat_t
	if err := unix.Stat(s.dir, &st); err != nil {
		return 0
	}
	return st.Uid
}
