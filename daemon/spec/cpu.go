package spec

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const cpuPeriod = 100_000 // microseconds: the kernel's default (Documentation/scheduler/sched-bwc.rst)

// cpu limits the time on CPUs: a weight, and a quota per period.
func cpu(r *container.Resources, out *specs.LinuxResources) error {
	period, quota := uint64(0), int64(0)
	switch cpus := int64(runtime.NumCPU()); {
	case r.NanoCPUs > 0 && r.CPUPeriod > 0:
		return invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set")
	case r.NanoCPUs > 0 && r.CPUQuota > 0:
		return invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
	case r.NanoCPUs < 0 || r.NanoCPUs > cpus*1e9:
		return invalid("range of CPUs is from 0.01 to %d.00, as there are only %d CPUs available", cpus, cpus)
	case r.NanoCPUs > 0:
		period, quota = cpuPeriod, r.NanoCPUs*cpuPeriod/1e9
		if quota < 1000 {
			return invalid("range of CPUs is from 0.01 to %d.00, as there are only %d CPUs available", cpus, cpus)
		}
	case r.CPUPeriod != 0 && (r.CPUPeriod < 1000 || r.CPUPeriod > 1_000_000):
		return invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
	case r.CPUQuota > 0 && r.CPUQuota < 1000:
		return invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)")
	case r.CPUShares < 0:
		return invalid("invalid CPU shares (%d): value must be a positive integer", r.CPUShares)
	default:
		period, quota = uint64(r.CPUPeriod), r.CPUQuota
	}
	c := specs.LinuxCPU{}
	if period != 0 {
		c.Period = &period
	}
	if quota != 0 {
		c.Quota = &quota
	}
	if r.CPUShares > 0 {
		shares := uint64(r.CPUShares)
		c.Shares = &shares
	}
	if c != (specs.LinuxCPU{}) {
		out.CPU = &c
	}
	return nil
}

// cpuset says which CPUs and memory nodes may be used (cpusets(7)).
func cpuset(r *container.Resources, out *specs.LinuxResources) error {
	for _, set := range []struct {
		asked, there, words, words2 string
	}{
		{r.CpusetCpus, "/sys/devices/system/cpu/online", "cpuset cpus", "CPUs"},
		{r.CpusetMems, "/sys/devices/system/node/online", "cpuset mems", "memory nodes"},
	} {
		if set.asked == "" {
			continue
		}
		asked, err := numbers(set.asked)
		if err != nil {
			return invalid("Invalid value %s for %s: %w", set.asked, set.words, err)
		}
		text, err := os.ReadFile(set.there)
		if err != nil {
			text = []byte("0") // a kernel without NUMA has one node and no directory for it
		}
		there := strings.TrimSpace(string(text))
		online, err := numbers(there)
		if err != nil {
			return fmt.Errorf("%s: %w", set.there, err)
		}
		for n := range asked {
			if !online[n] {
				return invalid("Requested %s are not available - requested %s, available: %s", set.words2, set.asked, there)
			}
		}
	}
	if r.CpusetCpus == "" && r.CpusetMems == "" {
		return nil
	}
	if out.CPU == nil {
		out.CPU = &specs.LinuxCPU{}
	}
	out.CPU.Cpus, out.CPU.Mems = r.CpusetCpus, r.CpusetMems
	return nil
}

const maxNumber = 8192 // as many CPUs as the kernel can be built for (CONFIG_NR_CPUS)

// numbers reads a list such as 0-3,7 (cpuset(7), "List format").
func numbers(list string) (map[int]bool, error) {
	set := map[int]bool{}
	for part := range strings.SplitSeq(list, ",") {
		if part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, err := strconv.Atoi(strings.TrimSpace(first))
		b, err2 := strconv.Atoi(strings.TrimSpace(last))
		if err = errors.Join(err, err2); err != nil || a < 0 || a > b {
			return nil, fmt.Errorf("invalid format: %s", list)
		}
		if b >= maxNumber {
			return nil, fmt.Errorf("value out of range, maximum is %d", maxNumber-1)
		}
		for ; a <= b; a++ {
			set[a] = true
		}
	}
	return set, nil
}
