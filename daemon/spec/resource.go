package spec

import (
	"runtime"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const (
	minMemory = 6 << 20 // bytes; below this runtimes cannot start a container
	cpuPeriod = 100_000 // microseconds: the kernel's default (Documentation/scheduler/sched-bwc.rst)
)

// resources turns docker's limits into the spec's. A limit that this kernel cannot hold is the runtime's error, except for the swap that
// docker adds by default: without swap accounting there is none to limit.
func resources(r *container.Resources) (*specs.LinuxResources, error) {
	out := &specs.LinuxResources{Devices: allowedDevices()}
	if err := memory(r, out); err != nil {
		return nil, err
	}
	if err := cpu(r, out); err != nil {
		return nil, err
	}
	if r.PidsLimit != nil {
		switch limit := *r.PidsLimit; {
		case limit < -1:
			return nil, invalid("invalid pids limit %d: it must be positive, or -1 for unlimited", limit)
		case limit > 0:
			out.Pids = &specs.LinuxPids{Limit: &limit}
		}
	}
	return out, nil
}

func memory(r *container.Resources, out *specs.LinuxResources) error {
	switch {
	case r.Memory < 0:
		return invalid("invalid memory limit %d", r.Memory)
	case r.Memory > 0 && r.Memory < minMemory:
		return invalid("Minimum memory limit allowed is 6MB")
	case r.MemorySwap > 0 && r.Memory == 0:
		return invalid("You should always set the Memory limit when using Memoryswap limit, see usage")
	case r.MemorySwap > 0 && r.MemorySwap < r.Memory:
		return invalid("Minimum memoryswap limit should be larger than memory limit, see usage")
	case r.MemorySwap < -1:
		return invalid("invalid memory swap limit %d", r.MemorySwap)
	case r.MemorySwap > 0 && !swapLimit():
		return unsupported("MemorySwap "+units.BytesSize(float64(r.MemorySwap)), "this kernel does not account swap: leave --memory-swap out")
	case r.Memory == 0:
		return nil
	}
	limit := r.Memory
	out.Memory = &specs.LinuxMemory{Limit: &limit}
	if swapLimit() {
		swap := r.MemorySwap
		if swap == 0 && limit <= 1<<62-1 {
			swap = 2 * limit // docker's default: as much swap as memory
		}
		out.Memory.Swap = &swap
	}
	return nil
}

func cpu(r *container.Resources, out *specs.LinuxResources) error {
	period, quota := uint64(0), int64(0)
	switch cpus := int64(runtime.NumCPU()); {
	case r.NanoCPUs != 0 && (r.CPUPeriod != 0 || r.CPUQuota != 0):
		return invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set")
	case r.NanoCPUs < 0 || r.NanoCPUs > cpus*1e9:
		return invalid("range of CPUs is from 0.01 to %d.00, as there are only %d CPUs available", cpus, cpus)
	case r.NanoCPUs > 0:
		period, quota = cpuPeriod, r.NanoCPUs*cpuPeriod/1e9
		if quota < 1000 {
			return invalid("range of CPUs is from 0.01 to %d.00, as there are only %d CPUs available", cpus, cpus)
		}
	case r.CPUPeriod != 0 && (r.CPUPeriod < 1000 || r.CPUPeriod > 1_000_000):
		return invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
	case r.CPUQuota != 0 && r.CPUQuota < 1000:
		return invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)")
	default:
		period, quota = uint64(r.CPUPeriod), r.CPUQuota
	}
	if period == 0 && quota == 0 {
		return nil
	}
	out.CPU = &specs.LinuxCPU{}
	if period != 0 {
		out.CPU.Period = &period
	}
	if quota != 0 {
		out.CPU.Quota = &quota
	}
	return nil
}
