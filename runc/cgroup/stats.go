package cgroup

import (
	"slices"
	"strings"

	"hull/stages"
)

// Stats is what a group has used, in the form that runc prints it (`runc events --stats`): names and units are those of cgroup v1, into which
// v2's files are converted. Times are nanoseconds, sizes bytes; a limit that is none is the largest number that the file can hold.
type Stats struct {
	CPU struct {
		Usage struct {
			Total        uint64   `json:"total,omitempty"`
			PerCPU       []uint64 `json:"percpu,omitempty"`
			PerCPUKernel []uint64 `json:"percpu_kernel,omitempty"`
			PerCPUUser   []uint64 `json:"percpu_user,omitempty"`
			Kernel       uint64   `json:"kernel"`
			User         uint64   `json:"user"`
		} `json:"usage"`
		Throttling struct {
			Periods          uint64 `json:"periods,omitempty"`
			ThrottledPeriods uint64 `json:"throttledPeriods,omitempty"`
			ThrottledTime    uint64 `json:"throttledTime,omitempty"`
		} `json:"throttling"`
		PSI *PSI `json:"psi,omitempty"`
	} `json:"cpu"`
	CPUSet struct {
		CPUs                  []uint16 `json:"cpus,omitempty"`
		CPUExclusive          uint64   `json:"cpu_exclusive"`
		Mems                  []uint16 `json:"mems,omitempty"`
		MemHardwall           uint64   `json:"mem_hardwall"`
		MemExclusive          uint64   `json:"mem_exclusive"`
		MemoryMigrate         uint64   `json:"memory_migrate"`
		MemorySpreadPage      uint64   `json:"memory_spread_page"`
		MemorySpreadSlab      uint64   `json:"memory_spread_slab"`
		MemoryPressure        uint64   `json:"memory_pressure"`
		SchedLoadBalance      uint64   `json:"sched_load_balance"`
		SchedRelaxDomainLevel int64    `json:"sched_relax_domain_level"`
	} `json:"cpuset"`
	Memory struct {
		Cache     uint64            `json:"cache,omitempty"`
		Usage     Counter           `json:"usage"`
		Swap      Counter           `json:"swap"` // memory and swap together
		Kernel    Counter           `json:"kernel"`
		KernelTCP Counter           `json:"kernelTCP"`
		Raw       map[string]uint64 `json:"raw,omitempty"` // memory.stat
		PSI       *PSI              `json:"psi,omitempty"`
	} `json:"memory"`
	PIDs struct {
		Current uint64 `json:"current,omitempty"`
		Limit   uint64 `json:"limit,omitempty"` // 0 for none
	} `json:"pids"`
	BlockIO struct {
		ServiceBytes []Transfer `json:"ioServiceBytesRecursive,omitempty"`
		Serviced     []Transfer `json:"ioServicedRecursive,omitempty"`
		Queued       []Transfer `json:"ioQueueRecursive,omitempty"`
		ServiceTime  []Transfer `json:"ioServiceTimeRecursive,omitempty"`
		WaitTime     []Transfer `json:"ioWaitTimeRecursive,omitempty"`
		Merged       []Transfer `json:"ioMergedRecursive,omitempty"`
		Time         []Transfer `json:"ioTimeRecursive,omitempty"`
		Sectors      []Transfer `json:"sectorsRecursive,omitempty"`
		PSI          *PSI       `json:"psi,omitempty"`
	} `json:"blkio"`
	HugeTLB           map[string]Pages `json:"hugetlb"`            // by page size
	IntelRDT          struct{}         `json:"intel_rdt"`          // not offered
	NetworkInterfaces []struct{}       `json:"network_interfaces"` // null: the runtime makes none
}

// A Counter is one of the memory controller's.
type Counter struct {
	Limit   uint64 `json:"limit"`
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"` // the most that usage has been
	Failcnt uint64 `json:"failcnt"`
}

// Pages are huge pages of one size.
type Pages struct {
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"`
	Failcnt uint64 `json:"failcnt"`
}

// A Transfer is one number for one block device and, where there are several, one kind of access.
type Transfer struct {
	Major uint64 `json:"major,omitempty"`
	Minor uint64 `json:"minor,omitempty"`
	Op    string `json:"op,omitempty"`
	Value uint64 `json:"value,omitempty"`
}

// PSI says for which part of the time tasks waited for a resource (accounting/psi.rst, Linux 4.20).
type PSI struct {
	Some Pressure `json:"some"`
	Full Pressure `json:"full"`
}

// A Pressure is percentages over 10, 60 and 300 seconds, and microseconds in all.
type Pressure struct {
	Avg10  float64 `json:"avg10"`
	Avg60  float64 `json:"avg60"`
	Avg300 float64 `json:"avg300"`
	Total  uint64  `json:"total"`
}

// sources are what is read of each controller, by its name and version.
var sources = []struct {
	controller string
	version    int
	read       func(*Stats, *reader)
}{
	{"cpuset", 1, (*Stats).cpusetV1},
	{"cpu", 1, (*Stats).cpuV1},
	{"cpuacct", 1, (*Stats).cpuacctV1},
	{"memory", 1, (*Stats).memoryV1},
	{"pids", 1, (*Stats).pids},
	{"blkio", 1, (*Stats).blkioV1},
	{"hugetlb", 1, (*Stats).hugetlbV1},
	{"cpu", 2, (*Stats).cpuV2},
	{"cpuset", 2, (*Stats).cpusetV2},
	{"memory", 2, (*Stats).memoryV2},
	{"pids", 2, (*Stats).pids},
	{"io", 2, (*Stats).ioV2},
	{"hugetlb", 2, (*Stats).hugetlbV2},
}

// Stats reads the group's counters now. What this kernel does not count stays 0.
func (g *Group) Stats() (*Stats, error) {
	s := &Stats{HugeTLB: map[string]Pages{}}
	for _, m := range g.Members {
		dir, err := openDir(m.Dir)
		if err != nil {
			return nil, cannot(kindOf(err), m.Controller, m.Dir, err)
		}
		r := &reader{dir: dir}
		has := strings.Split(m.Controller, ",")
		for _, source := range sources {
			// v2's cpu.stat is there without the controller as well.
			if source.version == m.Version && (slices.Contains(has, source.controller) || m.Version == 2 && source.controller == "cpu" && s.CPU.Usage.Total == 0) {
				source.read(s, r)
			}
		}
		dir.Close()
		if r.err != nil {
			return nil, cannot(stages.Internal, m.Controller, m.Dir, r.err)
		}
	}
	return s, nil
}
