package cgroup

import (
	"strconv"
	"strings"
)

// tick is what cpuacct.stat and cpuacct's percpu numbers of a tick count in: USER_HZ is 100 on all our machines (time(7)).
const tick = 10_000_000

func (s *Stats) cpuV1(r *reader) {
	stat := r.keyed("cpu.stat")
	s.CPU.Throttling.Periods, s.CPU.Throttling.ThrottledPeriods, s.CPU.Throttling.ThrottledTime = stat["nr_periods"], stat["nr_throttled"], stat["throttled_time"]
}

// cpuacctV1 reads cgroup-v1/cpuacct.rst's files. cpuacct.usage_all has one line per CPU: number, user, system.
func (s *Stats) cpuacctV1(r *reader) {
	u := &s.CPU.Usage
	u.Total, u.PerCPU = r.number("cpuacct.usage"), r.numbers("cpuacct.usage_percpu")
	stat := r.keyed("cpuacct.stat")
	u.User, u.Kernel = stat["user"]*tick, stat["system"]*tick
	for line := range strings.Lines(r.text("cpuacct.usage_all")) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] != "cpu" {
			u.PerCPUUser = append(u.PerCPUUser, r.parse("cpuacct.usage_all", f[1]))
			u.PerCPUKernel = append(u.PerCPUKernel, r.parse("cpuacct.usage_all", f[2]))
		}
	}
}

func (s *Stats) cpusetV1(r *reader) {
	c := &s.CPUSet
	c.CPUs, c.Mems = r.list("cpuset.cpus"), r.list("cpuset.mems")
	for file, to := range map[string]*uint64{
		"cpu_exclusive": &c.CPUExclusive, "mem_hardwall": &c.MemHardwall, "mem_exclusive": &c.MemExclusive, "memory_migrate": &c.MemoryMigrate,
		"memory_spread_page": &c.MemorySpreadPage, "memory_spread_slab": &c.MemorySpreadSlab, "memory_pressure": &c.MemoryPressure,
		"sched_load_balance": &c.SchedLoadBalance,
	} {
		*to = r.number("cpuset." + file)
	}
	if text := r.text("cpuset.sched_relax_domain_level"); text != "" { // -1 is the system's default
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			r.fail("cpuset.sched_relax_domain_level", err)
		}
		c.SchedRelaxDomainLevel = n
	}
}

func (s *Stats) memoryV1(r *reader) {
	m := &s.Memory
	m.Raw = r.keyed("memory.stat")
	m.Cache = m.Raw["cache"]
	for part, to := range map[string]*Counter{"": &m.Usage, "memsw.": &m.Swap, "kmem.": &m.Kernel, "kmem.tcp.": &m.KernelTCP} {
		to.Usage, to.Max = r.number("memory."+part+"usage_in_bytes"), r.number("memory."+part+"max_usage_in_bytes")
		to.Failcnt, to.Limit = r.number("memory."+part+"failcnt"), r.number("memory."+part+"limit_in_bytes")
	}
}

// pids is the same on both versions.
func (s *Stats) pids(r *reader) {
	s.PIDs.Current = r.number("pids.current")
	if text := r.text("pids.max"); text != "max" {
		s.PIDs.Limit = r.parse("pids.max", text)
	}
}

// blkioV1 reads the files of the scheduler that accounts: bfq's, else the throttle layer's, which see all that reaches a device.
func (s *Stats) blkioV1(r *reader) {
	b := &s.BlockIO
	for _, prefix := range []string{"blkio.bfq.", "blkio.", "blkio.throttle."} {
		b.ServiceBytes, b.Serviced = r.transfers(prefix+"io_service_bytes_recursive"), r.transfers(prefix+"io_serviced_recursive")
		b.Queued, b.ServiceTime = r.transfers(prefix+"io_queued_recursive"), r.transfers(prefix+"io_service_time_recursive")
		b.WaitTime, b.Merged = r.transfers(prefix+"io_wait_time_recursive"), r.transfers(prefix+"io_merged_recursive")
		b.Time, b.Sectors = r.transfers(prefix+"time_recursive"), r.transfers(prefix+"sectors_recursive")
		if b.Serviced != nil {
			return
		}
	}
}

func (s *Stats) hugetlbV1(r *reader) {
	for _, size := range pageSizes() {
		at := "hugetlb." + size
		if r.has(at + ".rsvd.usage_in_bytes") { // Linux 5.7
			at += ".rsvd"
		}
		s.HugeTLB[size] = Pages{Usage: r.number(at + ".usage_in_bytes"), Max: r.number(at + ".max_usage_in_bytes"), Failcnt: r.number(at + ".failcnt")}
	}
}
