package spec

import (
	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const minMemory = 6 << 20 // bytes; below this runtimes cannot start a container

// memory limits the memory and the swap.
func memory(r *container.Resources, out *specs.LinuxResources) (warnings []string, err error) {
	switch {
	case r.Memory < 0:
		return nil, invalid("invalid memory limit %d", r.Memory)
	case r.Memory > 0 && r.Memory < minMemory:
		return nil, invalid("Minimum memory limit allowed is 6MB")
	case r.MemorySwap > 0 && r.Memory == 0:
		return nil, invalid("You should always set the Memory limit when using Memoryswap limit, see usage")
	case r.MemorySwap > 0 && r.MemorySwap < r.Memory:
		return nil, invalid("Minimum memoryswap limit should be larger than memory limit, see usage")
	case r.MemorySwap < -1:
		return nil, invalid("invalid memory swap limit %d", r.MemorySwap)
	case r.MemorySwappiness != nil && (*r.MemorySwappiness < 0 || *r.MemorySwappiness > 100):
		return nil, invalid("Invalid value: %d, valid memory swappiness range is 0-100", *r.MemorySwappiness)
	case r.MemoryReservation < 0:
		return nil, invalid("invalid memory reservation %d", r.MemoryReservation)
	case r.MemoryReservation > 0 && r.MemoryReservation < minMemory:
		return nil, invalid("Minimum memory reservation allowed is 6MB")
	case r.Memory > 0 && r.Memory < r.MemoryReservation:
		return nil, invalid("Minimum memory limit can not be less than memory reservation limit, see usage")
	}
	m := specs.LinuxMemory{}
	if r.Memory > 0 {
		m.Limit = &r.Memory
		switch {
		case !swapLimit() && r.MemorySwap == 0:
			warnings = append(warnings, "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.")
		case r.MemorySwap > 0: // -1 is the kernel's own default: no limit
			m.Swap = &r.MemorySwap
		}
	}
	if r.MemoryReservation > 0 {
		m.Reservation = &r.MemoryReservation
	}
	if r.MemorySwappiness != nil {
		swappiness := uint64(*r.MemorySwappiness)
		m.Swappiness = &swappiness
	}
	if r.OomKillDisable != nil && *r.OomKillDisable {
		m.DisableOOMKiller = r.OomKillDisable
		if r.Memory == 0 {
			warnings = append(warnings, "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.")
		}
	}
	if m != (specs.LinuxMemory{}) {
		out.Memory = &m
	}
	return warnings, nil
}
