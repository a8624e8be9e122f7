package cgroup

import (
	"errors"
	"fmt"
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
	if version("memory", "memory") == 2 {
		return memoryV2(m)
	}
	var rows []row
	add := func(file string, value *int64) {
		if value != nil && *value != 0 {
			rows = append(rows, row{controller: "memory", file: file, value: strconv.FormatInt(max(*value, -1), 10)})
		}
	}
	// The limit before memory plus swap: the kernel refuses a sum below its part.
	add("memory.limit_in_bytes", m.Limit)
	add("memory.memsw.limit_in_bytes", m.Swap)
	add("memory.soft_limit_in_bytes", m.Reservation)
	//lint:ignore SA1019 deprecated, but not to be ignored when somebody asks for it: the kernel answers
	add("memory.kmem.limit_in_bytes", m.Kernel)
	add("memory.kmem.tcp.limit_in_bytes", m.KernelTCP)
	if m.Swappiness != nil {
		rows = append(rows, row{controller: "memory", file: "memory.swappiness", value: strconv.FormatUint(*m.Swappiness, 10)})
	}
	if m.DisableOOMKiller != nil && *m.DisableOOMKiller {
		rows = append(rows, row{controller: "memory", file: "memory.oom_control", value: "1"})
	}
	return rows, nil
}

func memoryV2(m *specs.LinuxMemory) (rows []row, err error) {
	for _, gone := range []struct {
		file  string
		asked bool
	}{
		//lint:ignore SA1019 as above
		{"memory.kmem.limit_in_bytes", given(m.Kernel)},
		{"memory.kmem.tcp.limit_in_bytes", given(m.KernelTCP)},
		{"memory.swappiness", m.Swappiness != nil},
		{"memory.oom_control", m.DisableOOMKiller != nil && *m.DisableOOMKiller},
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
