package cgroup

import (
	"errors"
	"fmt"
	"os"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/stages"
)

// Update writes limits of a group that has processes. Limits that r does not name stay; so do the device rules, whatever r says of them:
// they are no resource that one has more or less of. After an error the limits are as they were.
func (g *Group) Update(r *specs.LinuxResources) (warnings []string, err error) {
	all, err := detect()
	if err != nil {
		return nil, cannot(stages.Internal, "cgroup", "/proc/self/mountinfo", err)
	}
	l, err := plan(all, r)
	if err != nil {
		return nil, err
	}
	var before []change
	defer func() {
		if err != nil {
			for _, c := range slices.Backward(before) {
				write(c.dir, c.file, c.value)
			}
		}
		for _, c := range before {
			c.dir.Close()
		}
	}()
	if err := g.checkUsage(all, r.Memory); err != nil {
		return nil, err
	}
	// The kernel holds each write against the other values of that moment: memory against memory plus swap, burst against quota. So one that is
	// refused is tried again after the others, whichever order lowering or raising needs.
	rows, again := l.rows, []row(nil)
	for pass := range 2 {
		for _, row := range rows {
			m := g.holding(all, row.controller)
			dir, err := openDir(m.Dir)
			if err != nil {
				return nil, cannot(kindOf(err), row.controller, row.file, err)
			}
			file := row.file
			was, err := read(dir, file)
			if err != nil && row.instead != "" {
				file = row.instead
				was, _ = read(dir, file)
			}
			warning, err := row.write(dir)
			switch {
			case err == nil && warning == "":
				before = append(before, change{dir, file, was})
				continue
			case err == nil:
				warnings = append(warnings, warning)
			case pass == 0 && errors.Is(err, unix.EINVAL):
				again = append(again, row)
			default:
				dir.Close()
				return nil, err
			}
			dir.Close()
		}
		rows = again
	}
	return warnings, nil
}

// A change is a limit's value before it was changed.
type change struct {
	dir         *os.File
	file, value string
}

// checkUsage refuses a limit on memory below what is in use, if the document wants that (config-linux.md, checkBeforeUpdate). v1's kernel
// refuses by itself what it cannot reclaim; v2's begins to kill (cgroup-v2.rst, memory.max).
func (g *Group) checkUsage(all []hierarchy, m *specs.LinuxMemory) error {
	if m == nil || m.CheckBeforeUpdate == nil || !*m.CheckBeforeUpdate {
		return nil
	}
	h := find(all, "memory")
	if h == nil || h.version != 2 {
		return nil
	}
	dir, err := openDir(g.holding(all, "memory").Dir)
	if err != nil {
		return cannot(kindOf(err), "memory", "memory.current", err)
	}
	defer dir.Close()
	r := &reader{dir: dir}
	usage := r.number("memory.current")
	if r.err != nil {
		return cannot(kindOf(r.err), "memory", "memory.current", r.err)
	}
	for _, limit := range []struct {
		field string
		value *int64
	}{{"linux.resources.memory.limit", m.Limit}, {"linux.resources.memory.swap", m.Swap}} {
		if limit.value != nil && *limit.value > 0 && uint64(*limit.value) < usage {
			return cannot(stages.Conflict, "memory", limit.field, fmt.Errorf("%d is below what is in use, %d", *limit.value, usage))
		}
	}
	return nil
}
