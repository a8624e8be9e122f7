package cgroup

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// PIDs lists the processes in the group and in groups below it, in any hierarchy, as this process's pid namespace numbers them. Those
// that have exited are not in it. A group that is gone has none.
func (g *Group) PIDs() ([]int, error) {
	var all []int
	for _, m := range g.Members {
		dir, err := openDir(m.Dir)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = walk(dir, func(d *os.File) error {
			pids, err := pidsOf(d)
			all = append(all, pids...)
			return err
		})
		dir.Close()
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// pidsOf reads one group's cgroup.procs. A process of another pid namespace is shown as 0, and is left out.
func pidsOf(dir *os.File) (pids []int, err error) {
	text, err := read(dir, "cgroup.procs")
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) { // removed meanwhile
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for f := range strings.FieldsSeq(text) {
		if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// walk visits the groups below dir, then dir itself: children first, as removing needs it.
func walk(dir *os.File, visit func(*os.File) error) error {
	names, err := subgroups(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		child, err := openIn(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return err
		}
		err = walk(child, visit)
		child.Close()
		if err != nil {
			return err
		}
	}
	return visit(dir)
}

// subgroups lists the groups directly below dir.
func subgroups(dir *os.File) (names []string, err error) {
	again, err := openIn(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY) // an offset of its own: dir may be read twice
	if err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil, nil
		}
		return nil, err
	}
	defer again.Close()
	entries, err := again.ReadDir(-1)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
