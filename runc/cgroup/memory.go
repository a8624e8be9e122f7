package cgroup

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// memory plans the memory controller's rows (cgroup-v1/memory.rst, cgroup-v2.rst "Memory"). 0 means "not given", as in docker; a
// negative limit means none.
func memory(r *specs.LinuxResources, version versionOf) ([]row, error) {
	m := r.Memory
	if m == nil {
		return nil, nil
	}
	if n := m.Swappiness; n != nil && *n > maxSwappiness && *n != math.MaxUint64 {
		return nil, cannot(stages.Invalid, "memory", "linux.resources.memory.swappiness", fmt.Errorf("%d is above %d", *n, maxSwappiness))
	}
	v := version("memory", "memory")
	rows := ignoredMemory(m, v)
	if v == 2 {
		v2, err := memoryV2(m)
		return append(v2, rows...), err
	}
	add := func(file string, value *int64) {
		if value != nil && *value != 0 {
			rows = append(rows, row{controller: "memory", file: file, value: strconv.FormatInt(max(*value, -1), 10)})
		}
	}
	// The limit before memory plus swap: the kernel refuses a sum below its part.
	add("memory.limit_in_bytes", m.Limit)
	add("memory.memsw.limit_in_bytes", m.Swap)
	if allMemory(m) {
		rows = append(rows, row{controller: "memory", file: "memory.memsw.limit_in_bytes", value: "-1", optional: true})
	}
	add("memory.soft_limit_in_bytes", m.Reservation)
	add("memory.kmem.tcp.limit_in_bytes", m.KernelTCP) // of what sockets hold in buffers
	if swappiness(m) {
		rows = append(rows, row{controller: "memory", file: "memory.swappiness", value: strconv.FormatUint(*m.Swappiness, 10)})
	}
	if m.DisableOOMKiller != nil && *m.DisableOOMKiller {
		rows = append(rows, row{controller: "memory", file: "memory.oom_control", value: "1"})
	}
	if m.UseHierarchy != nil {
		// Since Linux 5.11 every group counts those below it, and the file takes a 1 only.
		rows = append(rows, row{controller: "memory", file: "memory.use_hierarchy", value: map[bool]string{false: "0", true: "1"}[*m.UseHierarchy], optional: *m.UseHierarchy})
	}
	return rows, nil
}

// maxSwappiness is cgroup v1's largest value in all its kernels.
const maxSwappiness = 100

// swappiness reports whether it is given; -1, as docker's clients send it, is not.
func swappiness(m *specs.LinuxMemory) bool {
	return m.Swappiness != nil && *m.Swappiness != math.MaxUint64
}

// allMemory: no limit on memory and nothing said of swap means no limit on either, as in runc; the old sum would still hold.
func allMemory(m *specs.LinuxMemory) bool {
	return m.Limit != nil && *m.Limit < 0 && !given(m.Swap)
}

// ignoredMemory are the limits on the kernel's own memory that no kernel of today enforces alone: v1 has one for TCP's buffers left, v2 none.
// As in runc that is a warning.
func ignoredMemory(m *specs.LinuxMemory, version int) (rows []row) {
	ignore := func(file string, value *int64) {
		if given(value) {
			rows = append(rows, row{controller: "memory", file: file, ignored: "limits on the kernel's own memory are ignored: they are part of memory's"})
		}
	}
	//lint:ignore SA1019 what is asked for is not overlooked
	ignore("memory.kmem.limit_in_bytes", m.Kernel)
	if version == 2 {
		ignore("memory.kmem.tcp.limit_in_bytes", m.KernelTCP)
	}
	return rows
}

func memoryV2(m *specs.LinuxMemory) (rows []row, err error) {
	for _, gone := range []struct {
		file  string
		asked bool
	}{
		{"memory.swappiness", swappiness(m)},
		{"memory.oom_control", m.DisableOOMKiller != nil && *m.DisableOOMKiller},
		{"memory.use_hierarchy", m.UseHierarchy != nil && !*m.UseHierarchy},
	} {
		if gone.asked {
			return nil, cannot(stages.Unsupported, "memory", gone.file, errors.New("cgroup v2 has no such limit"))
		}
	}
	if given(m.Limit) {
		rows = append(rows, row{controller: "memory", file: "memory.max", value: orMax(*m.Limit)})
	}
	if given(m.Swap) {
		swap, err := swapV2(m)
		if err != nil {
			return nil, cannot(stages.Invalid, "memory", "memory.swap.max", err)
		}
		rows = append(rows, row{controller: "memory", file: "memory.swap.max", value: swap})
	}
	if allMemory(m) {
		rows = append(rows, row{controller: "memory", file: "memory.swap.max", value: "max", optional: true})
	}
	if given(m.Reservation) {
		rows = append(rows, row{controller: "memory", file: "memory.low", value: orMax(*m.Reservation)})
	}
	return rows, nil
}

// swapV2 converts the spec's swap, which is v1's memory plus swap, to v2's swap alone.
func swapV2(m *specs.LinuxMemory) (string, error) {
	switch {
	case *m.Swap < 0:
		return "max", nil
	case !given(m.Limit) || *m.Limit < 0:
		return "", errors.New("a limit on memory plus swap needs one on memory")
	case *m.Swap < *m.Limit:
		return "", fmt.Errorf("memory plus swap, %d, is less than memory, %d", *m.Swap, *m.Limit)
	}
	return strconv.FormatInt(*m.Swap-*m.Limit, 10), nil
}

func given(v *int64) bool { return v != nil && *v != 0 }

// orMax is a v2 limit: a number, or "max" for none.
func orMax(v int64) string {
	if v < 0 {
		return "max"
	}
	return strconv.FormatInt(v, 10)
}
