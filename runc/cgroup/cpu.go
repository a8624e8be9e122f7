package cgroup

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// defaultPeriod is the kernel's own bandwidth period, in microseconds (sched-bwc.rst).
const defaultPeriod = 100_000

// cpu plans the cpu controller's rows (scheduler/sched-bwc.rst, cgroup-v2.rst "CPU"). 0 means "not given".
func cpu(r *specs.LinuxResources, version versionOf) (rows []row, err error) {
	c := r.CPU
	if c == nil {
		return nil, nil
	}
	if c.Idle != nil && *c.Idle != 0 && *c.Idle != 1 {
		return nil, cannot(stages.Invalid, "cpu", "linux.resources.cpu.idle", fmt.Errorf("%d is neither 0 nor 1", *c.Idle))
	}
	add := func(file, value string) { rows = append(rows, row{controller: "cpu", file: file, value: value}) }
	number := func(file string, v *uint64) {
		if v != nil && *v != 0 {
			add(file, strconv.FormatUint(*v, 10))
		}
	}
	idle := func() {
		if c.Idle != nil {
			add("cpu.idle", strconv.FormatInt(*c.Idle, 10))
		}
	}
	if version("cpu", "cpu") != 2 {
		number("cpu.shares", c.Shares)
		number("cpu.cfs_period_us", c.Period) // before the quota, which is checked against it
		if given(c.Quota) {
			add("cpu.cfs_quota_us", strconv.FormatInt(max(*c.Quota, -1), 10))
		}
		number("cpu.cfs_burst_us", c.Burst)
		number("cpu.rt_period_us", c.RealtimePeriod)
		if given(c.RealtimeRuntime) {
			add("cpu.rt_runtime_us", strconv.FormatInt(*c.RealtimeRuntime, 10))
		}
		idle()
		return rows, nil
	}
	if given(c.RealtimeRuntime) || c.RealtimePeriod != nil && *c.RealtimePeriod != 0 {
		return nil, cannot(stages.Unsupported, "cpu", "cpu.rt_runtime_us", errors.New("cgroup v2 has no such limit"))
	}
	if c.Shares != nil && *c.Shares != 0 {
		add("cpu.weight", strconv.FormatUint(weight(*c.Shares), 10))
	}
	if period := c.Period; given(c.Quota) || period != nil && *period != 0 {
		quota, p := "max", uint64(defaultPeriod)
		if given(c.Quota) {
			quota = orMax(*c.Quota)
		}
		if period != nil && *period != 0 {
			p = *period
		}
		add("cpu.max", quota+" "+strconv.FormatUint(p, 10)) // "$MAX $PERIOD", both in microseconds
	}
	number("cpu.max.burst", c.Burst)
	idle()
	return rows, nil
}

// weight converts v1's cpu.shares (2 to 262144, default 1024) to v2's cpu.weight (1 to 10000, default 100). Both are relative, so the
// conversion must map minimum, default and maximum onto each other; a straight line between the ends would give the default 39. The
// runtimes agreed on this parabola between the logarithms (opencontainers/cgroups 0.0.5, crun 1.23).
func weight(shares uint64) uint64 {
	switch {
	case shares <= 2:
		return 1
	case shares >= 262144:
		return 10000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// cpuset plans which CPUs and memory nodes may be used (cpusets(7)). The files have one name on both versions.
func cpuset(r *specs.LinuxResources, _ versionOf) (rows []row, err error) {
	if r.CPU == nil {
		return nil, nil
	}
	if r.CPU.Cpus != "" {
		rows = append(rows, row{controller: "cpuset", file: "cpuset.cpus", value: r.CPU.Cpus})
	}
	if r.CPU.Mems != "" {
		rows = append(rows, row{controller: "cpuset", file: "cpuset.mems", value: r.CPU.Mems})
	}
	return rows, nil
}

// pids plans the largest number of tasks, threads included (cgroup-v1/pids.rst). 0 is a limit: no fork at all.
func pids(r *specs.LinuxResources, _ versionOf) ([]row, error) {
	if r.Pids == nil || r.Pids.Limit == nil {
		return nil, nil
	}
	return []row{{controller: "pids", file: "pids.max", value: orMax(*r.Pids.Limit)}}, nil
}
