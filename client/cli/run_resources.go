package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// resourceOptions are run's flags about how much of the machine the container may have.
type resourceOptions struct {
	memory, reservation memory
	memorySwap          swap
	swappiness          int64
	cpus                cpus
	pidsLimit           int64
	limits              engine.Resources // those that need no reading
	ulimits             ulimits
	weights             weights
}

func (o *resourceOptions) define(f *pflag.FlagSet) {
	l := &o.limits
	f.VarP(&o.memory, "memory", "m", "Memory limit")
	f.Var(&o.reservation, "memory-reservation", "Memory soft limit")
	f.Var(&o.memorySwap, "memory-swap", "Swap limit equal to memory plus swap: '-1' to enable unlimited swap")
	f.Int64Var(&o.swappiness, "memory-swappiness", -1, "Tune container memory swappiness (0 to 100)")
	f.BoolVar(&l.OomKillDisable, "oom-kill-disable", false, "Disable OOM Killer")
	f.IntVar(&l.OomScoreAdj, "oom-score-adj", 0, "Tune host's OOM preferences (-1000 to 1000)")
	f.Var(&o.cpus, "cpus", "Number of CPUs")
	f.Int64VarP(&l.CPUShares, "cpu-shares", "c", 0, "CPU shares (relative weight)")
	f.Int64Var(&l.CPUPeriod, "cpu-period", 0, "Limit CPU CFS (Completely Fair Scheduler) period")
	f.Int64Var(&l.CPUQuota, "cpu-quota", 0, "Limit CPU CFS (Completely Fair Scheduler) quota")
	f.StringVar(&l.CpusetCpus, "cpuset-cpus", "", "CPUs in which to allow execution (0-3, 0,1)")
	f.StringVar(&l.CpusetMems, "cpuset-mems", "", "MEMs in which to allow execution (0-3, 0,1)")
	f.Int64Var(&o.pidsLimit, "pids-limit", 0, "Tune container pids limit (set -1 for unlimited)")
	f.Uint16Var(&l.BlkioWeight, "blkio-weight", 0, "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)")
	f.Var(&o.weights, "blkio-weight-device", "Block IO weight (relative device weight)")
	f.Var(throttle{&l.BlkioDeviceReadBps, true}, "device-read-bps", "Limit read rate (bytes per second) from a device")
	f.Var(throttle{&l.BlkioDeviceReadIOps, false}, "device-read-iops", "Limit read rate (IO per second) from a device")
	f.Var(throttle{&l.BlkioDeviceWriteBps, true}, "device-write-bps", "Limit write rate (bytes per second) to a device")
	f.Var(throttle{&l.BlkioDeviceWriteIOps, false}, "device-write-iops", "Limit write rate (IO per second) to a device")
	f.Var(&o.ulimits, "ulimit", "Ulimit options")
	f.StringVar(&l.CgroupParent, "cgroup-parent", "", "Optional parent cgroup for the container")
}

func (o *resourceOptions) apply(body *engine.CreateRequest) error {
	h := &body.HostConfig
	h.Memory, h.NanoCpus = int64(o.memory), int64(o.cpus)
	h.Resources = o.limits
	h.MemoryReservation, h.MemorySwap = int64(o.reservation), int64(o.memorySwap.memory)
	h.Ulimits, h.BlkioWeightDevice = o.ulimits, o.weights
	if o.swappiness != -1 {
		if o.swappiness < 0 || o.swappiness > 100 {
			return fmt.Errorf("invalid value: %d. Valid memory swappiness range is 0-100", o.swappiness)
		}
		h.MemorySwappiness = &o.swappiness
	}
	if o.pidsLimit != 0 {
		h.PidsLimit = &o.pidsLimit
	}
	return nil
}
