package cgroup

import (
	"strings"

	"hull/shim/wire"
)

// metrics1 reads cgroup v1's counters. Documentation/admin-guide/cgroup-v1/{cpuacct,memory,pids,hugetlb,blkio-controller}.rst
func (g Group) metrics1() *wire.Cgroup1Metrics {
	m := &wire.Cgroup1Metrics{}
	if dir := g.v1["pids"]; exists(dir, "pids.current") {
		m.Pids = &wire.Cgroup1Pids{Current: number(dir, "pids.current")}
		if limit := number(dir, "pids.max"); limit != parseNumber("max") {
			m.Pids.Limit = limit
		}
	}
	if usage, throttle := cpuUsage1(g.v1["cpuacct"]), throttle1(g.v1["cpu"]); usage != nil || throttle != nil {
		m.CPU = &wire.Cgroup1CPU{Usage: usage, Throttling: throttle}
	}
	if dir := g.v1["memory"]; exists(dir, "memory.stat") {
		m.Memory = memory1(dir)
		oom := numbers(dir, "memory.oom_control")
		m.MemoryOomControl = &wire.Cgroup1OomControl{
			OomKillDisable: oom["oom_kill_disable"], UnderOom: oom["under_oom"], OomKill: oom["oom_kill"],
		}
	}
	if dir := g.v1["blkio"]; exists(dir, "blkio.throttle.io_serviced") {
		m.Blkio = &wire.Cgroup1Blkio{
			IoServiceBytesRecursive: blkio(dir, "io_service_bytes"), IoServicedRecursive: blkio(dir, "io_serviced"),
		}
	}
	if dir := g.v1["hugetlb"]; dir != "" {
		for _, size := range pageSizes(dir, "usage_in_bytes") {
			file := "hugetlb." + size
			m.Hugetlb = append(m.Hugetlb, &wire.Cgroup1Hugetlb{
				Usage: number(dir, file+".usage_in_bytes"), Max: number(dir, file+".max_usage_in_bytes"), Failcnt: number(dir, file+".failcnt"),
				Pagesize: size,
			})
		}
	}
	return m
}

// tick is the unit of cpuacct.stat, USER_HZ: a hundredth of a second on every architecture of ours, in nanoseconds. time(7)
const tick = 10_000_000

func cpuUsage1(dir string) *wire.Cgroup1CPUUsage {
	if !exists(dir, "cpuacct.usage") {
		return nil
	}
	split := numbers(dir, "cpuacct.stat")
	u := &wire.Cgroup1CPUUsage{Total: number(dir, "cpuacct.usage"), User: split["user"] * tick, Kernel: split["system"] * tick}
	for _, line := range lines(dir, "cpuacct.usage_percpu") {
		for _, n := range line {
			u.PerCPU = append(u.PerCPU, parseNumber(n))
		}
	}
	return u
}

func throttle1(dir string) *wire.Cgroup1Throttle {
	if !exists(dir, "cpu.stat") {
		return nil
	}
	stat := numbers(dir, "cpu.stat")
	return &wire.Cgroup1Throttle{Periods: stat["nr_periods"], ThrottledPeriods: stat["nr_throttled"], ThrottledTime: stat["throttled_time"]}
}

func memory1(dir string) *wire.Cgroup1Memory {
	m := &wire.Cgroup1Memory{}
	fill(m.Stat(), numbers(dir, "memory.stat"))
	entry := func(prefix string) *wire.Cgroup1MemoryEntry {
		if !exists(dir, prefix+".usage_in_bytes") { // swap is counted only if the kernel was told to
			return nil
		}
		return &wire.Cgroup1MemoryEntry{
			Usage: number(dir, prefix+".usage_in_bytes"), Max: number(dir, prefix+".max_usage_in_bytes"),
			Failcnt: number(dir, prefix+".failcnt"), Limit: number(dir, prefix+".limit_in_bytes"),
		}
	}
	m.Usage, m.Swap, m.Kernel, m.KernelTCP = entry("memory"), entry("memory.memsw"), entry("memory.kmem"), entry("memory.kmem.tcp")
	return m
}

// blkio reads a counter of lines "MAJOR:MINOR operation number"; the line "Total number" at the end is the reader's to make. The
// recursive file is Linux 4.15's.
func blkio(dir, name string) (all []*wire.Cgroup1BlkioEntry) {
	file := "blkio.throttle." + name + "_recursive"
	if !exists(dir, file) {
		file = "blkio.throttle." + name
	}
	for _, f := range lines(dir, file) {
		if len(f) != 3 {
			continue
		}
		if major, minor, ok := device(f[0]); ok {
			all = append(all, &wire.Cgroup1BlkioEntry{Op: f[1], Device: deviceFile(f[0]), Major: major, Minor: minor, Value: parseNumber(f[2])})
		}
	}
	return all
}

// deviceFile is the file in /dev of a block device; "" if it has none. sysfs(5), /sys/dev/block/MAJOR:MINOR/uevent
func deviceFile(numbers string) string {
	for _, line := range lines("/sys/dev/block/"+numbers, "uevent") {
		if name, ok := strings.CutPrefix(line[0], "DEVNAME="); ok {
			return "/dev/" + name
		}
	}
	return ""
}
