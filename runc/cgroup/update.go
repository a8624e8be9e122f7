package cgroup

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

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
	for _, row := range g.inOrder(all, l.rows) {
		m := g.holding(all, row.controller)
		dir, err := openDir(m.Dir)
		if err != nil {
			return nil, cannot(kindOf(err), row.controller, row.file, err)
		}
		was, err := read(dir, row.file)
		if err == nil {
			err = write(dir, row.file, row.value)
		}
		switch {
		case err == nil:
			before = append(before, change{dir, row.file, was})
			continue
		case row.optional && errors.Is(err, unix.ENOENT):
			warnings = append(warnings, fmt.Sprintf("%s: this kernel has no %s", row.controller, row.file))
			dir.Close()
			continue
		}
		dir.Close()
		return nil, cannot(kindOf(err), row.controller, row.file, fmt.Errorf("write %q: %w", row.value, err))
	}
	return warnings, nil
}

// A change is a limit's value before it was changed.
type change struct {
	dir         *os.File
	file, value string
}

// inOrder puts v1's limit on memory plus swap before the one on memory if that is about to grow beyond it: the kernel takes no sum that is
// below its part, at no moment (cgroup-v1/memory.rst).
func (g *Group) inOrder(all []hierarchy, rows []row) []row {
	is := func(file string) func(row) bool { return func(r row) bool { return r.file == file } }
	memory, sum := slices.IndexFunc(rows, is("memory.limit_in_bytes")), slices.IndexFunc(rows, is("memory.memsw.limit_in_bytes"))
	if memory < 0 || sum < 0 || memory > sum {
		return rows
	}
	dir, err := openDir(g.holding(all, "memory").Dir)
	if err != nil {
		return rows
	}
	defer dir.Close()
	text, err := read(dir, "memory.memsw.limit_in_bytes")
	now, parseErr := strconv.ParseInt(text, 10, 64)
	wanted, _ := strconv.ParseInt(rows[memory].value, 10, 64)
	if err == nil && parseErr == nil && (wanted < 0 || wanted > now) {
		rows = slices.Clone(rows)
		rows[memory], rows[sum] = rows[sum], rows[memory]
	}
	return rows
}
