package container

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Update changes limits of a container: those that the document names, and no other.
func Update(root, id string, r *specs.LinuxResources) (warnings []string, err error) {
	s, err := Find(root, id)
	if err != nil {
		return nil, err
	}
	lock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if s.Status() == specs.StateStopped || s.Cgroup == nil {
		return nil, notRunning(id)
	}
	if len(s.Cgroup.Members) == 0 {
		return nil, noCgroup(id)
	}
	return s.Cgroup.Update(r)
}
