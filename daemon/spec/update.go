package spec

import (
	"reflect"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// updatable are the limits that a container's life can change: those that it can be made with.
var updatable = []string{
	"Memory", "MemorySwap", "MemoryReservation", "NanoCPUs", "CPUPeriod", "CPUQuota", "CPUShares", "CpusetCpus", "CpusetMems", "PidsLimit",
	"BlkioWeight", "CPURealtimePeriod", "CPURealtimeRuntime",
}

// Update lays the limits of asked that are given over those of now, by docker's rules (moby, container/container_unix.go:
// UpdateContainer), and says what the runtime is to write: all limits that hold then, and no device rules.
func Update(now, asked container.Resources) (merged container.Resources, out *specs.LinuxResources, warnings []string, err error) {
	refuse := func(err error) (container.Resources, *specs.LinuxResources, []string, error) {
		return now, nil, nil, err
	}
	if err := emptyBut(reflect.ValueOf(asked), "", updatable); err != nil {
		return refuse(err)
	}
	switch {
	case asked.NanoCPUs > 0 && now.CPUPeriod > 0:
		return refuse(conflict("Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set"))
	case asked.NanoCPUs > 0 && now.CPUQuota > 0:
		return refuse(conflict("Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set"))
	case asked.CPUPeriod > 0 && now.NanoCPUs > 0:
		return refuse(conflict("Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set"))
	case asked.CPUQuota > 0 && now.NanoCPUs > 0:
		return refuse(conflict("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set"))
	case asked.Memory > 0 && asked.MemorySwap == 0 && asked.Memory > swapOf(&now) && swapOf(&now) > 0:
		return refuse(conflict("Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"))
	}
	merged = now
	to, from := reflect.ValueOf(&merged).Elem(), reflect.ValueOf(asked)
	for _, name := range updatable {
		if v := from.FieldByName(name); !v.IsZero() {
			to.FieldByName(name).Set(v)
		}
	}
	if asked.Memory > 0 && asked.MemorySwap == 0 && swapOf(&now) > 0 {
		merged.MemorySwap = swapOf(&now) // it does not follow
	}
	if out, warnings, err = resources(&merged); err != nil {
		return refuse(err)
	}
	if merged.PidsLimit != nil && *merged.PidsLimit <= 0 {
		none := int64(-1) // at create no limit is no row; now there may be one to take back
		out.Pids = &specs.LinuxPids{Limit: &none}
	}
	out.Devices = nil
	return merged, out, warnings, nil
}

// swapOf is the limit on memory and swap that holds: the default is as much swap as memory. 0 is none.
func swapOf(r *container.Resources) int64 {
	if r.MemorySwap == 0 && r.Memory > 0 && swapLimit() {
		return 2 * r.Memory
	}
	return max(0, r.MemorySwap)
}

func conflict(text string) error {
	return &stages.Error{Kind: stages.Conflict, Err: invalid("%s", text)}
}
