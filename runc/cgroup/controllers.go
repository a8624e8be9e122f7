package cgroup

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// enable turns the wanted controllers on for dir's children (cgroup-v2.rst, "Enabling and Disabling"). Each is a write of its own,
// because one that is refused makes the kernel refuse the whole line. What is refused is kept: it becomes an error if a limit needs it.
func (b *builder) enable(dir *os.File, offered []string) {
	on, err := read(dir, "cgroup.subtree_control")
	for _, c := range b.wanted {
		if !slices.Contains(offered, c) || slices.Contains(strings.Fields(on), c) {
			continue
		}
		if err == nil {
			err = write(dir, "cgroup.subtree_control", "+"+c)
		}
		if err != nil && b.refused[c] == nil {
			b.refused[c] = err
		}
		err = nil
	}
}

// enabled names the controllers of a v2 group, as Member.Controller does.
func enabled(dir *os.File) (string, error) {
	on, err := read(dir, "cgroup.controllers")
	return strings.Join(strings.Fields(on), ","), err
}

// warnings says which counters will be missing. Controllers that a limit needs are no warning: limit makes them an error.
func (b *builder) warnings(l limits) (list []string) {
	for _, c := range b.wanted {
		if err := b.refused[c]; err != nil && !slices.ContainsFunc(l.rows, func(r row) bool { return r.controller == c }) {
			list = append(list, fmt.Sprintf("no %s statistics: %v", c, err))
		}
	}
	return list
}

// inheritCpuset copies the parent's CPUs and memory nodes into a new v1 cpuset group. It starts with none, and then attaching a task is
// ENOSPC (cpusets(7)). An existing group that has some keeps them.
func inheritCpuset(parent, child *os.File) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		have, err := read(child, file)
		if err != nil {
			return err
		}
		if have != "" {
			continue
		}
		value, err := read(parent, file)
		if err != nil {
			return err
		}
		if err := write(child, file, value); err != nil {
			return err
		}
	}
	return nil
}
