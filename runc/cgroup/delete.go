package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"

	"hull/stages"
)

// patience bounds how long Delete waits for processes that are on their way out.
const patience = 2 * time.Second

// Delete removes the group's directories, and those that the container made below them, deepest first. A directory that is already
// gone is no error, so Delete can be repeated. While a process lives in the group nothing is removed: that is a conflict.
func (g *Group) Delete() error {
	deadline := time.Now().Add(patience)
	for {
		pids, err := g.PIDs()
		if err != nil {
			return cannotDelete(stages.Internal, g.Members[0].Dir, err)
		}
		if len(pids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return cannotDelete(stages.Conflict, g.Members[0].Dir, fmt.Errorf("processes %v are in it", pids))
		}
		time.Sleep(5 * time.Millisecond)
	}
	var failed error
	for _, m := range g.Members {
		if err := removeDir(m.Dir); err != nil && failed == nil {
			failed = cannotDelete(kindOf(err), m.Dir, err)
		}
	}
	return failed
}

// RemoveEmpty removes the groups that Create would make for the path, as far as they are there and nobody is in them.
func RemoveEmpty(cgroupsPath string) error {
	names, absolute, err := components(cgroupsPath)
	if err != nil {
		return err
	}
	all, err := detect()
	if err != nil {
		return err
	}
	var failed []error
	for _, h := range all {
		dir := path.Join(append([]string{h.mount}, h.below(names, absolute)...)...)
		switch err := unix.Rmdir(dir); err {
		case nil, unix.ENOENT, unix.EBUSY, unix.ENOTEMPTY: // EBUSY: a process is in it
		default:
			failed = append(failed, cannotDelete(kindOf(err), dir, err))
		}
	}
	return errors.Join(failed...)
}

func cannotDelete(kind stages.Kind, dir string, err error) error {
	return &stages.Error{Step: stages.RuncDelete, Kind: kind, Thing: dir, Err: err}
}

// removeDir removes one group with all below it.
func removeDir(dir string) error {
	parent, err := openDir(path.Dir(dir))
	if err == nil {
		defer parent.Close()
		err = removeIn(parent, path.Base(dir))
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

func removeIn(parent *os.File, name string) error {
	dir, err := openIn(parent, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer dir.Close()
	deadline := time.Now().Add(patience)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		names, err := subgroups(dir)
		if err != nil {
			return err
		}
		for _, child := range names {
			if err := removeIn(dir, child); err != nil && !errors.Is(err, unix.ENOENT) {
				return err
			}
		}
		err = unix.Unlinkat(int(parent.Fd()), name, unix.AT_REMOVEDIR)
		// EBUSY: the last process has exited, as everybody can see, but the kernel still detaches it; or a new child appeared.
		if err != unix.EBUSY && err != unix.EINTR || time.Now().After(deadline) {
			if err != nil {
				return &os.PathError{Op: "rmdir", Path: dir.Name(), Err: err}
			}
			return nil
		}
		time.Sleep(wait)
	}
}
