package cgroup

import (
	"math"
	"os"
	"strconv"
	"strings"
)

func (s *Stats) cpuV2(r *reader) {
	const usec = 1000 // cpu.stat's unit, in nanoseconds
	stat := r.keyed("cpu.stat")
	u, t := &s.CPU.Usage, &s.CPU.Throttling
	u.Total, u.User, u.Kernel = stat["usage_usec"]*usec, stat["user_usec"]*usec, stat["system_usec"]*usec
	t.Periods, t.ThrottledPeriods, t.ThrottledTime = stat["nr_periods"], stat["nr_throttled"], stat["throttled_usec"]*usec
	s.CPU.PSI = r.pressure("cpu.pressure")
}

func (s *Stats) cpusetV2(r *reader) {
	s.CPUSet.CPUs, s.CPUSet.Mems = r.list("cpuset.cpus.effective"), r.list("cpuset.mems.effective")
}

// memoryV2 adds swap and memory up, as v1 counts them. memory.peak is there since Linux 5.19; their peak together nobody knows.
func (s *Stats) memoryV2(r *reader) {
	m := &s.Memory
	m.Raw = r.keyed("memory.stat")
	m.Cache = m.Raw["file"]
	m.Usage = Counter{Limit: r.number("memory.max"), Usage: r.number("memory.current"), Max: r.number("memory.peak"), Failcnt: r.keyed("memory.events")["max"]}
	m.Swap = Counter{Limit: math.MaxUint64, Usage: m.Usage.Usage + r.number("memory.swap.current"), Failcnt: r.keyed("memory.swap.events")["max"]}
	if limit := r.number("memory.swap.max"); limit != math.MaxUint64 && m.Usage.Limit != math.MaxUint64 {
		m.Swap.Limit = limit + m.Usage.Limit
	}
	m.PSI = r.pressure("memory.pressure")
}

// ioV2 reads io.stat: a line for each device, "MAJOR:MINOR rbytes=… wbytes=… rios=… wios=…".
func (s *Stats) ioV2(r *reader) {
	b := &s.BlockIO
	for line := range strings.Lines(r.text("io.stat")) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		major, minor := r.device("io.stat", f[0])
		for _, pair := range f[1:] {
			key, value, _ := strings.Cut(pair, "=")
			switch key {
			case "rbytes", "wbytes", "rios", "wios":
			default:
				continue
			}
			t := Transfer{Major: major, Minor: minor, Op: map[byte]string{'r': "Read", 'w': "Write"}[key[0]], Value: r.parse("io.stat", value)}
			if strings.HasSuffix(key, "bytes") {
				b.ServiceBytes = append(b.ServiceBytes, t)
			} else {
				b.Serviced = append(b.Serviced, t)
			}
		}
	}
	b.PSI = r.pressure("io.pressure")
}

func (s *Stats) hugetlbV2(r *reader) {
	for _, size := range pageSizes() {
		at := "hugetlb." + size
		usage := at + ".current"
		if r.has(at + ".rsvd.current") { // Linux 5.7
			usage = at + ".rsvd.current"
		}
		s.HugeTLB[size] = Pages{Usage: r.number(usage), Failcnt: r.keyed(at + ".events")["max"]}
	}
}

// pageSizes are the machine's huge pages, named as the controller's files name them: /sys/kernel/mm/hugepages/hugepages-2048kB is "2MB".
func pageSizes() (list []string) {
	entries, _ := os.ReadDir("/sys/kernel/mm/hugepages") // not there: this kernel has none
	for _, e := range entries {
		digits, found := strings.CutPrefix(e.Name(), "hugepages-")
		kib, err := strconv.ParseUint(strings.TrimSuffix(digits, "kB"), 10, 64)
		if !found || err != nil {
			continue
		}
		for _, unit := range []struct {
			name string
			kib  uint64
		}{{"GB", 1 << 20}, {"MB", 1 << 10}, {"KB", 1}} {
			if kib >= unit.kib {
				list = append(list, strconv.FormatUint(kib/unit.kib, 10)+unit.name)
				break
			}
		}
	}
	return list
}
