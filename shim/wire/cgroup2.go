package wire

// What a container uses, where there is cgroup v2 only: io.containerd.cgroups.v2.Metrics. RDMA and network have fields there, and none
// here.

type Cgroup2Metrics struct {
	Pids         *Cgroup2Pids
	CPU          *Cgroup2CPU
	Memory       *Cgroup2Memory
	Io           *Cgroup2IO
	Hugetlb      []*Cgroup2Hugetlb
	MemoryEvents *Cgroup2MemoryEvents
}

func (*Cgroup2Metrics) TypeName() string { return "io.containerd.cgroups.v2.Metrics" }

func (m *Cgroup2Metrics) fields(c *codec) {
	one(c, 1, &m.Pids)
	one(c, 2, &m.CPU)
	one(c, 4, &m.Memory)
	one(c, 6, &m.Io)
	many(c, 7, &m.Hugetlb)
	one(c, 8, &m.MemoryEvents)
}

type Cgroup2Pids struct {
	Current uint64
	Limit   uint64 // the largest number is none
}

func (m *Cgroup2Pids) fields(c *codec) {
	c.uint64(1, &m.Current)
	c.uint64(2, &m.Limit)
}

// Cgroup2CPU is cpu.stat, in microseconds, and the pressure.
type Cgroup2CPU struct {
	UsageUsec, UserUsec, SystemUsec       uint64
	NrPeriods, NrThrottled, ThrottledUsec uint64
	PSI                                   *PSIStats
	NrBursts, BurstUsec                   uint64
}

// Stat are the numbers of cpu.stat by the kernel's names.
func (m *Cgroup2CPU) Stat() []Number {
	return []Number{
		{"usage_usec", &m.UsageUsec},
		{"user_usec", &m.UserUsec},
		{"system_usec", &m.SystemUsec},
		{"nr_periods", &m.NrPeriods},
		{"nr_throttled", &m.NrThrottled},
		{"throttled_usec", &m.ThrottledUsec},
		{"nr_bursts", &m.NrBursts},
		{"burst_usec", &m.BurstUsec},
	}
}

func (m *Cgroup2CPU) fields(c *codec) {
	c.uint64(1, &m.UsageUsec)
	c.uint64(2, &m.UserUsec)
	c.uint64(3, &m.SystemUsec)
	c.uint64(4, &m.NrPeriods)
	c.uint64(5, &m.NrThrottled)
	c.uint64(6, &m.ThrottledUsec)
	one(c, 7, &m.PSI)
	c.uint64(8, &m.NrBursts)
	c.uint64(9, &m.BurstUsec)
}

// Cgroup2Memory is memory.stat, the counters of the files beside it, and the pressure.
type Cgroup2Memory struct {
	Anon, File, KernelStack, Slab, Sock, Shmem, FileMapped, FileDirty, FileWriteback, AnonThp uint64
	InactiveAnon, ActiveAnon, InactiveFile, ActiveFile, Unevictable                           uint64
	SlabReclaimable, SlabUnreclaimable, Pgfault, Pgmajfault                                   uint64
	WorkingsetRefault, WorkingsetActivate, WorkingsetNodereclaim                              uint64
	Pgrefill, Pgscan, Pgsteal, Pgactivate, Pgdeactivate, Pglazyfree, Pglazyfreed              uint64
	ThpFaultAlloc, ThpCollapseAlloc                                                           uint64
	Usage, UsageLimit, SwapUsage, SwapLimit, MaxUsage, SwapMaxUsage                           uint64
	PSI                                                                                       *PSIStats
}

// Stat are the numbers of memory.stat by the kernel's names, in the order of their fields, which begin with 1.
func (m *Cgroup2Memory) Stat() []Number {
	return []Number{
		{"anon", &m.Anon},
		{"file", &m.File},
		{"kernel_stack", &m.KernelStack},
		{"slab", &m.Slab},
		{"sock", &m.Sock},
		{"shmem", &m.Shmem},
		{"file_mapped", &m.FileMapped},
		{"file_dirty", &m.FileDirty},
		{"file_writeback", &m.FileWriteback},
		{"anon_thp", &m.AnonThp},
		{"inactive_anon", &m.InactiveAnon},
		{"active_anon", &m.ActiveAnon},
		{"inactive_file", &m.InactiveFile},
		{"active_file", &m.ActiveFile},
		{"unevictable", &m.Unevictable},
		{"slab_reclaimable", &m.SlabReclaimable},
		{"slab_unreclaimable", &m.SlabUnreclaimable},
		{"pgfault", &m.Pgfault},
		{"pgmajfault", &m.Pgmajfault},
		{"workingset_refault", &m.WorkingsetRefault},
		{"workingset_activate", &m.WorkingsetActivate},
		{"workingset_nodereclaim", &m.WorkingsetNodereclaim},
		{"pgrefill", &m.Pgrefill},
		{"pgscan", &m.Pgscan},
		{"pgsteal", &m.Pgsteal},
		{"pgactivate", &m.Pgactivate},
		{"pgdeactivate", &m.Pgdeactivate},
		{"pglazyfree", &m.Pglazyfree},
		{"pglazyfreed", &m.Pglazyfreed},
		{"thp_fault_alloc", &m.ThpFaultAlloc},
		{"thp_collapse_alloc", &m.ThpCollapseAlloc},
	}
}

// Files are the numbers that have files of their own, in the order of their fields, which go on where Stat's end.
func (m *Cgroup2Memory) Files() []Number {
	return []Number{
		{"memory.current", &m.Usage},
		{"memory.max", &m.UsageLimit},
		{"memory.swap.current", &m.SwapUsage},
		{"memory.swap.max", &m.SwapLimit},
		{"memory.peak", &m.MaxUsage},
		{"memory.swap.peak", &m.SwapMaxUsage},
	}
}

func (m *Cgroup2Memory) fields(c *codec) {
	for i, n := range append(m.Stat(), m.Files()...) {
		c.uint64(i+1, n.Value)
	}
	one(c, 38, &m.PSI)
}

// Cgroup2MemoryEvents is memory.events.
type Cgroup2MemoryEvents struct{ Low, High, Max, Oom, OomKill, OomGroupKill uint64 }

// Stat are its numbers by the kernel's names, in the order of their fields, which begin with 1.
func (m *Cgroup2MemoryEvents) Stat() []Number {
	return []Number{
		{"low", &m.Low}, {"high", &m.High}, {"max", &m.Max}, {"oom", &m.Oom}, {"oom_kill", &m.OomKill}, {"oom_group_kill", &m.OomGroupKill},
	}
}

func (m *Cgroup2MemoryEvents) fields(c *codec) {
	for i, n := range m.Stat() {
		c.uint64(i+1, n.Value)
	}
}

type Cgroup2IO struct {
	Usage []*Cgroup2IOEntry
	PSI   *PSIStats
}

func (m *Cgroup2IO) fields(c *codec) {
	many(c, 1, &m.Usage)
	one(c, 2, &m.PSI)
}

// A Cgroup2IOEntry is a device's line of io.stat.
type Cgroup2IOEntry struct{ Major, Minor, Rbytes, Wbytes, Rios, Wios uint64 }

func (m *Cgroup2IOEntry) fields(c *codec) {
	c.uint64(1, &m.Major)
	c.uint64(2, &m.Minor)
	c.uint64(3, &m.Rbytes)
	c.uint64(4, &m.Wbytes)
	c.uint64(5, &m.Rios)
	c.uint64(6, &m.Wios)
}

type Cgroup2Hugetlb struct {
	Current  uint64 // bytes
	Max      uint64
	Pagesize string // "2MB"
	Failcnt  uint64
}

func (m *Cgroup2Hugetlb) fields(c *codec) {
	c.uint64(1, &m.Current)
	c.uint64(2, &m.Max)
	c.string(3, &m.Pagesize)
	c.uint64(4, &m.Failcnt)
}

// PSIStats is how much the processes had to wait for something: some of them, and all at once.
type PSIStats struct{ Some, Full *PSIData }

func (m *PSIStats) fields(c *codec) {
	one(c, 1, &m.Some)
	one(c, 2, &m.Full)
}

// PSIData are percentages of the last 10, 60 and 300 seconds, and microseconds in all.
type PSIData struct {
	Avg10, Avg60, Avg300 float64
	Total                uint64
}

func (m *PSIData) fields(c *codec) {
	c.double(1, &m.Avg10)
	c.double(2, &m.Avg60)
	c.double(3, &m.Avg300)
	c.uint64(4, &m.Total)
}
