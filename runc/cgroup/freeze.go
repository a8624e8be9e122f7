package cgroup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hull/stages"
)

// freezePatience bounds how long Freeze waits until every task has stopped; a task in an uninterruptible sleep stops after it.
const freezePatience = 10 * time.Second

// Freeze stops every process in the group, including those that are forked meanwhile, and returns when all have stopped. A group that
// does not stop in time runs on, and is an error. It uses the v1 freezer where that is mounted (cgroup-v1/freezer-subsystem.rst), else
// v2's cgroup.freeze (Linux 5.2).
func (g *Group) Freeze() error {
	f, err := g.freezer()
	if err != nil {
		return err
	}
	defer f.dir.Close()
	deadline := time.Now().Add(freezePatience)
	for {
		// On v1 the state is written again and again: a fork that raced with the first write is caught by the next.
		if err := f.set(true); err != nil {
			return f.fail(err)
		}
		frozen, err := f.frozen()
		if err == nil && frozen {
			return nil
		}
		if err != nil || time.Now().After(deadline) {
			if err == nil {
				err = fmt.Errorf("processes still run after %v", freezePatience)
			}
			f.set(false)
			return f.fail(err)
		}
		time.Sleep(time.Millisecond)
	}
}

// Thaw lets a frozen group run on. One that is not frozen is left as it is.
func (g *Group) Thaw() error {
	f, err := g.freezer()
	if err != nil {
		return err
	}
	defer f.dir.Close()
	if err := f.set(false); err != nil {
		return f.fail(err)
	}
	return nil
}

// Frozen reports whether the group has been stopped. One without a freezer, or one that is gone, is not.
func (g *Group) Frozen() bool {
	f, err := g.freezer()
	if err != nil {
		return false
	}
	defer f.dir.Close()
	frozen, err := f.frozen()
	return err == nil && frozen
}

// A freezer is the directory through which the group is stopped.
type freezer struct {
	dir *os.File
	v1  bool
}

func (g *Group) freezer() (freezer, error) {
	if len(g.Members) == 0 {
		return freezer{}, cannot(stages.Unsupported, "freezer", "freezer.state", errors.New("the container has no cgroup"))
	}
	m := g.member(func(m Member) bool {
		return m.Version == 1 && slices.Contains(strings.Split(m.Controller, ","), "freezer")
	})
	v1 := m != nil
	if !v1 {
		m = g.unified()
	}
	if m == nil {
		return freezer{}, cannot(stages.Unsupported, "freezer", "freezer.state", errors.New("neither a v1 freezer nor cgroup v2 is mounted"))
	}
	dir, err := openDir(m.Dir)
	if err != nil {
		kind := stages.Internal
		if errors.Is(err, unix.ENOENT) {
			kind = stages.NotFound
		}
		return freezer{}, cannot(kind, "freezer", m.Dir, err)
	}
	return freezer{dir, v1}, nil
}

func (f freezer) set(on bool) error {
	switch {
	case f.v1 && on:
		return write(f.dir, "freezer.state", "FROZEN")
	case f.v1:
		return write(f.dir, "freezer.state", "THAWED")
	case on:
		return write(f.dir, "cgroup.freeze", "1")
	}
	return write(f.dir, "cgroup.freeze", "0")
}

func (f freezer) frozen() (bool, error) {
	if f.v1 {
		state, err := read(f.dir, "freezer.state")
		return state == "FROZEN", err
	}
	events, err := read(f.dir, "cgroup.events")
	return slices.Contains(strings.Split(events, "\n"), "frozen 1"), err
}

func (f freezer) fail(err error) error { return cannot(kindOf(err), "freezer", f.dir.Name(), err) }
