package wire

// What a container uses, where the controllers are cgroup v1's: io.containerd.cgroups.v1.Metrics. RDMA, network and task counts have
// fields there that nobody fills, and none here.

type Cgroup1Metrics struct {
	Hugetlb          []*Cgroup1Hugetlb
	Pids             *Cgroup1Pids
	CPU              *Cgroup1CPU
	Memory           *Cgroup1Memory
	Blkio            *Cgroup1Blkio
	MemoryOomControl *Cgroup1OomControl
}

func (*Cgroup1Metrics) TypeName() string { return "io.containerd.cgroups.v1.Metrics" }

func (m *Cgroup1Metrics) fields(c *codec) {
	many(c, 1, &m.Hugetlb)
	one(c, 2, &m.Pids)
	one(c, 3, &m.CPU)
	one(c, 4, &m.Memory)
	one(c, 5, &m.Blkio)
	one(c, 9, &m.MemoryOomControl)
}

type Cgroup1Hugetlb struct {
	Usage    uint64 // bytes
	Max      uint64 // the most it ever was
	Failcnt  uint64
	Pagesize string // "2MB"
}

func (m *Cgroup1Hugetlb) fields(c *codec) {
	c.uint64(1, &m.Usage)
	c.uint64(2, &m.Max)
	c.uint64(3, &m.Failcnt)
	c.string(4, &m.Pagesize)
}

type Cgroup1Pids struct {
	Current uint64
	Limit   uint64 // 0 is none
}

func (m *Cgroup1Pids) fields(c *codec) {
	c.uint64(1, &m.Current)
	c.uint64(2, &m.Limit)
}

type Cgroup1CPU struct {
	Usage      *Cgroup1CPUUsage
	Throttling *Cgroup1Throttle
}

func (m *Cgroup1CPU) fields(c *codec) {
	one(c, 1, &m.Usage)
	one(c, 2, &m.Throttling)
}

type Cgroup1CPUUsage struct {
	Total, Kernel, User uint64 // nanoseconds
	PerCPU              []uint64
}

func (m *Cgroup1CPUUsage) fields(c *codec) {
	c.uint64(1, &m.Total)
	c.uint64(2, &m.Kernel)
	c.uint64(3, &m.User)
	c.uint64s(4, &m.PerCPU)
}

type Cgroup1Throttle struct {
	Periods          uint64
	ThrottledPeriods uint64
	ThrottledTime    uint64 // nanoseconds
}

func (m *Cgroup1Throttle) fields(c *codec) {
	c.uint64(1, &m.Periods)
	c.uint64(2, &m.ThrottledPeriods)
	c.uint64(3, &m.ThrottledTime)
}

// Cgroup1Memory is memory.stat, in bytes and numbers of pages and faults, and four counters with limits.
type Cgroup1Memory struct {
	Cache, RSS, RSSHuge, MappedFile, Dirty, Writeback, PgPgIn, PgPgOut, PgFault, PgMajFault      uint64
	InactiveAnon, ActiveAnon, InactiveFile, ActiveFile, Unevictable                              uint64
	HierarchicalMemoryLimit, HierarchicalSwapLimit                                               uint64
	TotalCache, TotalRSS, TotalRSSHuge, TotalMappedFile, TotalDirty, TotalWriteback, TotalPgPgIn uint64
	TotalPgPgOut, TotalPgFault, TotalPgMajFault, TotalInactiveAnon, TotalActiveAnon              uint64
	TotalInactiveFile, TotalActiveFile, TotalUnevictable                                         uint64
	Usage                                                                                        *Cgroup1MemoryEntry // all of it
	Swap                                                                                         *Cgroup1MemoryEntry // with swap
	Kernel                                                                                       *Cgroup1MemoryEntry
	KernelTCP                                                                                    *Cgroup1MemoryEntry
}

// Stat are the numbers of memory.stat by the kernel's names, in the order of their fields, which begin with 1.
func (m *Cgroup1Memory) Stat() []Number {
	return []Number{
		{"cache", &m.Cache},
		{"rss", &m.RSS},
		{"rss_huge", &m.RSSHuge},
		{"mapped_file", &m.MappedFile},
		{"dirty", &m.Dirty},
		{"writeback", &m.Writeback},
		{"pgpgin", &m.PgPgIn},
		{"pgpgout", &m.PgPgOut},
		{"pgfault", &m.PgFault},
		{"pgmajfault", &m.PgMajFault},
		{"inactive_anon", &m.InactiveAnon},
		{"active_anon", &m.ActiveAnon},
		{"inactive_file", &m.InactiveFile},
		{"active_file", &m.ActiveFile},
		{"unevictable", &m.Unevictable},
		{"hierarchical_memory_limit", &m.HierarchicalMemoryLimit},
		{"hierarchical_memsw_limit", &m.HierarchicalSwapLimit},
		{"total_cache", &m.TotalCache},
		{"total_rss", &m.TotalRSS},
		{"total_rss_huge", &m.TotalRSSHuge},
		{"total_mapped_file", &m.TotalMappedFile},
		{"total_dirty", &m.TotalDirty},
		{"total_writeback", &m.TotalWriteback},
		{"total_pgpgin", &m.TotalPgPgIn},
		{"total_pgpgout", &m.TotalPgPgOut},
		{"total_pgfault", &m.TotalPgFault},
		{"total_pgmajfault", &m.TotalPgMajFault},
		{"total_inactive_anon", &m.TotalInactiveAnon},
		{"total_active_anon", &m.TotalActiveAnon},
		{"total_inactive_file", &m.TotalInactiveFile},
		{"total_active_file", &m.TotalActiveFile},
		{"total_unevictable", &m.TotalUnevictable},
	}
}

func (m *Cgroup1Memory) fields(c *codec) {
	for i, n := range m.Stat() {
		c.uint64(i+1, n.Value)
	}
	one(c, 33, &m.Usage)
	one(c, 34, &m.Swap)
	one(c, 35, &m.Kernel)
	one(c, 36, &m.KernelTCP)
}

// A Number is a counter of the kernel's and its place in a message.
type Number struct {
	Name  string
	Value *uint64
}

type Cgroup1MemoryEntry struct {
	Limit   uint64
	Usage   uint64
	Max     uint64 // the most it ever was
	Failcnt uint64
}

func (m *Cgroup1MemoryEntry) fields(c *codec) {
	c.uint64(1, &m.Limit)
	c.uint64(2, &m.Usage)
	c.uint64(3, &m.Max)
	c.uint64(4, &m.Failcnt)
}

type Cgroup1OomControl struct{ OomKillDisable, UnderOom, OomKill uint64 }

func (m *Cgroup1OomControl) fields(c *codec) {
	c.uint64(1, &m.OomKillDisable)
	c.uint64(2, &m.UnderOom)
	c.uint64(3, &m.OomKill)
}

// Cgroup1Blkio counts bytes and requests by device and kind. The other lists of containerd's message are those of a scheduler (CFQ) that
// left the kernel with Linux 5.0.
type Cgroup1Blkio struct {
	IoServiceBytesRecursive []*Cgroup1BlkioEntry
	IoServicedRecursive     []*Cgroup1BlkioEntry
}

func (m *Cgroup1Blkio) fields(c *codec) {
	many(c, 1, &m.IoServiceBytesRecursive)
	many(c, 2, &m.IoServicedRecursive)
}

type Cgroup1BlkioEntry struct {
	Op     string // "Read", "Write", "Sync", "Async", "Discard", "Total"
	Device string // its file
	Major  uint64
	Minor  uint64
	Value  uint64
}

func (m *Cgroup1BlkioEntry) fields(c *codec) {
	c.string(1, &m.Op)
	c.string(2, &m.Device)
	c.uint64(3, &m.Major)
	c.uint64(4, &m.Minor)
	c.uint64(5, &m.Value)
}
