package cgroup

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"hull/stages"
)

// Both versions of every controller, as the kernel's documentation lists them.
var (
	everyV1 = []hierarchy{{version: 1, controllers: []string{"cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "hugetlb", "net_cls", "net_prio", "rdma", "devices", "freezer"}}}
	everyV2 = []hierarchy{{version: 2, controllers: []string{"cpu", "cpuset", "memory", "pids", "io", "hugetlb", "rdma"}}}
)

func text(rows []row) (list []string) {
	for _, r := range rows {
		switch {
		case r.ignored != "":
			list = append(list, "("+r.file+")")
		default:
			list = append(list, r.file+"="+r.value)
		}
	}
	return list
}

// Every field of the specification's resources becomes the file that the kernel has for it, on both versions.
func TestEveryResource(t *testing.T) {
	yes, no := true, false
	i, u, w := pointer[int64], pointer[uint64], pointer[uint16]
	for name, row := range map[string]struct {
		r      specs.LinuxResources
		v1, v2 []string // nil: refused
	}{
		"cpu.shares":          {specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: u(512)}}, []string{"cpu.shares=512"}, []string{"cpu.weight=59"}},
		"cpu.quota":           {specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: i(5000)}}, []string{"cpu.cfs_quota_us=5000"}, []string{"cpu.max=5000 100000"}},
		"cpu.quota none":      {specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: i(-1), Period: u(9000)}}, []string{"cpu.cfs_period_us=9000", "cpu.cfs_quota_us=-1"}, []string{"cpu.max=max 9000"}},
		"cpu.burst":           {specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: i(5000), Burst: u(1000)}}, []string{"cpu.cfs_quota_us=5000", "cpu.cfs_burst_us=1000"}, []string{"cpu.max=5000 100000", "cpu.max.burst=1000"}},
		"cpu.realtime":        {specs.LinuxResources{CPU: &specs.LinuxCPU{RealtimePeriod: u(1000), RealtimeRuntime: i(500)}}, []string{"cpu.rt_period_us=1000", "cpu.rt_runtime_us=500"}, nil},
		"cpu.idle":            {specs.LinuxResources{CPU: &specs.LinuxCPU{Idle: i(1)}}, []string{"cpu.idle=1"}, []string{"cpu.idle=1"}},
		"cpu.idle bad":        {specs.LinuxResources{CPU: &specs.LinuxCPU{Idle: i(2)}}, nil, nil},
		"cpu.cpus":            {specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0-1", Mems: "0"}}, []string{"cpuset.cpus=0-1", "cpuset.mems=0"}, []string{"cpuset.cpus=0-1", "cpuset.mems=0"}},
		"memory":              {specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: i(100), Swap: i(150), Reservation: i(50)}}, []string{"memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=150", "memory.soft_limit_in_bytes=50"}, []string{"memory.max=100", "memory.swap.max=50", "memory.low=50"}},
		"memory no swap":      {specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: i(100), Swap: i(100)}}, []string{"memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=100"}, []string{"memory.max=100", "memory.swap.max=0"}},
		"memory none":         {specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: i(-1)}}, []string{"memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1"}, []string{"memory.max=max", "memory.swap.max=max"}},
		"memory.kernel":       {specs.LinuxResources{Memory: &specs.LinuxMemory{KernelTCP: i(100)}}, []string{"memory.kmem.tcp.limit_in_bytes=100"}, []string{"(memory.kmem.tcp.limit_in_bytes)"}},
		"memory.swappiness":   {specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: u(60)}}, []string{"memory.swappiness=60"}, nil},
		"memory.swappiness -": {specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: u(math.MaxUint64)}}, []string{}, []string{}},
		"memory.swappiness +": {specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: u(101)}}, nil, nil},
		"memory.oom":          {specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: &yes}}, []string{"memory.oom_control=1"}, nil},
		"memory.oom no":       {specs.LinuxResources{Memory: &specs.LinuxMemory{DisableOOMKiller: &no}}, []string{}, []string{}},
		"memory.hierarchy":    {specs.LinuxResources{Memory: &specs.LinuxMemory{UseHierarchy: &yes}}, []string{"memory.use_hierarchy=1"}, []string{}},
		"memory.hierarchy no": {specs.LinuxResources{Memory: &specs.LinuxMemory{UseHierarchy: &no}}, []string{"memory.use_hierarchy=0"}, nil},
		"pids":                {specs.LinuxResources{Pids: &specs.LinuxPids{Limit: i(0)}}, []string{"pids.max=0"}, []string{"pids.max=0"}},
		"blockIO.weight":      {specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: w(10)}}, []string{"blkio.weight=10"}, []string{"io.weight=default 1"}},
		"blockIO.weight bad":  {specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: w(9)}}, nil, nil},
		"blockIO.leafWeight":  {specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{LeafWeight: w(10)}}, []string{"blkio.leaf_weight=10"}, nil},
		"blockIO.throttle": {
			specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: throttle(8, 0, 1), ThrottleWriteBpsDevice: throttle(8, 0, 2), ThrottleReadIOPSDevice: throttle(8, 0, 3), ThrottleWriteIOPSDevice: throttle(8, 0, 4)}},
			[]string{"blkio.throttle.read_bps_device=8:0 1", "blkio.throttle.write_bps_device=8:0 2", "blkio.throttle.read_iops_device=8:0 3", "blkio.throttle.write_iops_device=8:0 4"},
			[]string{"io.max=8:0 rbps=1", "io.max=8:0 wbps=2", "io.max=8:0 riops=3", "io.max=8:0 wiops=4"},
		},
		"hugepageLimits": {specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4}}}, []string{"hugetlb.2MB.limit_in_bytes=4", "hugetlb.2MB.rsvd.limit_in_bytes=4"}, []string{"hugetlb.2MB.max=4", "hugetlb.2MB.rsvd.max=4"}},
		"network":        {specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: pointer[uint32](0x100001), Priorities: []specs.LinuxInterfacePriority{{Name: "lo", Priority: 5}}}}, []string{"net_cls.classid=1048577", "net_prio.ifpriomap=lo 5"}, nil},
		"rdma":           {specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx5_1": {HcaHandles: pointer[uint32](3), HcaObjects: pointer[uint32](100)}}}, []string{"rdma.max=mlx5_1 hca_handle=3 hca_object=100"}, []string{"rdma.max=mlx5_1 hca_handle=3 hca_object=100"}},
		"unified":        {specs.LinuxResources{Unified: map[string]string{"memory.high": "90"}}, nil, []string{"memory.high=90"}},
	} {
		for version, c := range map[int]struct {
			all  []hierarchy
			want []string
		}{1: {everyV1, row.v1}, 2: {everyV2, row.v2}} {
			l, err := plan(c.all, &row.r)
			if c.want == nil {
				require.Error(t, err, "%s on v%d", name, version)
				require.NotEqual(t, stages.Internal, stages.KindOf(err))
				continue
			}
			require.NoError(t, err, "%s on v%d", name, version)
			require.ElementsMatch(t, c.want, text(l.rows), "%s on v%d", name, version)
		}
	}
}

// A limit's neighbours are in the way of it, in one order when it is lowered and in the other when it is raised.
func TestUpdateInEitherDirection(t *testing.T) {
	const mib = 1 << 20
	resources := func(n int64) *specs.LinuxResources {
		return &specs.LinuxResources{
			Memory: &specs.LinuxMemory{Limit: pointer(n * 32 * mib), Swap: pointer(n * 48 * mib)},
			CPU:    &specs.LinuxCPU{Quota: pointer(n * 10000), Burst: pointer(uint64(n * 10000)), Period: pointer[uint64](100000)},
		}
	}
	on(t, "memory", "memory")
	on(t, "cpu", "cpu")
	g := create(t, resources(2))
	for _, n := range []int64{8, 1, 4, 4, 2} {
		_, err := g.Update(resources(n))
		require.NoError(t, err, n)
		if on(t, "memory", "memory") == 1 {
			require.Equal(t, itoa(int(n*32*mib)), value(t, g, "memory.limit_in_bytes"))
			require.Equal(t, itoa(int(n*48*mib)), value(t, g, "memory.memsw.limit_in_bytes"))
		}
		if on(t, "cpu", "cpu") == 1 {
			require.Equal(t, itoa(int(n*10000)), value(t, g, "cpu.cfs_quota_us"))
			require.Equal(t, itoa(int(n*10000)), value(t, g, "cpu.cfs_burst_us"))
		}
	}
	_, err := g.Update(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer[int64](64 * mib), Swap: pointer[int64](32 * mib)}})
	require.Error(t, err, "a sum below its part")
	_, err = g.Update(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer[int64](-1)}})
	require.NoError(t, err, "no limit on memory is none on swap")
}

// Where the general scheduler's file is not there, bfq's takes the weight.
func TestWeightGoesToTheScheduler(t *testing.T) {
	if on(t, "blkio", "io") != 1 {
		t.Skip("blkio is not on cgroup v1 here")
	}
	g := create(t, nil)
	file := "blkio.weight"
	if matches, _ := filepath.Glob(g.member(func(m Member) bool { return m.Controller == "blkio" }).Dir + "/blkio.bfq.weight"); len(matches) > 0 {
		file = "blkio.bfq.weight"
	}
	_, err := g.Update(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: pointer[uint16](321)}})
	require.NoError(t, err)
	require.Equal(t, "321", value(t, g, file))
}

// The kernel's own memory has no limit of its own any more, but for TCP's buffers on v1: that is a warning.
func TestKernelMemoryIsAWarning(t *testing.T) {
	version := on(t, "memory", "memory")
	g := create(t, nil)
	//lint:ignore SA1019 an old configuration may ask for it
	warnings, err := g.Update(&specs.LinuxResources{Memory: &specs.LinuxMemory{Kernel: pointer[int64](1 << 20), KernelTCP: pointer[int64](1 << 20)}})
	require.NoError(t, err)
	require.Len(t, warnings, version)
	require.Contains(t, warnings[0], "memory.kmem.limit_in_bytes")
	if version == 1 {
		require.Equal(t, "1048576", value(t, g, "memory.kmem.tcp.limit_in_bytes"))
	}
}

// Files of cgroup v2, as a kernel writes them, become the counters of v1.
func TestStatsOfV2(t *testing.T) {
	dir := t.TempDir()
	for file, content := range map[string]string{
		"cpu.stat":     "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 3\nnr_throttled 2\nthrottled_usec 5\n",
		"cpu.pressure": "some avg10=1.50 avg60=0.25 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
		"memory.stat":  "anon 100\nfile 200\n", "memory.current": "300", "memory.max": "1000", "memory.peak": "400", "memory.events": "low 0\nmax 6\noom_kill 1\n",
		"memory.swap.current": "50", "memory.swap.max": "500", "memory.swap.events": "max 2\n",
		"pids.current": "4", "pids.max": "max", "cpuset.cpus.effective": "0-2,5", "cpuset.mems.effective": "0",
		"io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:1 \n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600))
	}
	f, err := os.Open(dir)
	require.NoError(t, err)
	defer f.Close()
	s, r := &Stats{}, &reader{dir: f}
	for _, source := range sources {
		if source.version == 2 && source.controller != "hugetlb" {
			source.read(s, r)
		}
	}
	require.NoError(t, r.err)
	require.Equal(t, []uint64{30000, 20000, 10000}, []uint64{s.CPU.Usage.Total, s.CPU.Usage.User, s.CPU.Usage.Kernel})
	require.Equal(t, []uint64{3, 2, 5000}, []uint64{s.CPU.Throttling.Periods, s.CPU.Throttling.ThrottledPeriods, s.CPU.Throttling.ThrottledTime})
	require.Equal(t, &PSI{Some: Pressure{1.5, 0.25, 0, 77}, Full: Pressure{Total: 5}}, s.CPU.PSI)
	require.Equal(t, Counter{Limit: 1000, Usage: 300, Max: 400, Failcnt: 6}, s.Memory.Usage)
	require.Equal(t, Counter{Limit: 1500, Usage: 350, Failcnt: 2}, s.Memory.Swap)
	require.Equal(t, uint64(200), s.Memory.Cache)
	require.Equal(t, []uint64{4, 0}, []uint64{s.PIDs.Current, s.PIDs.Limit})
	require.Equal(t, []uint16{0, 1, 2, 5}, s.CPUSet.CPUs)
	require.Equal(t, []Transfer{{8, 0, "Read", 1}, {8, 0, "Write", 2}}, s.BlockIO.ServiceBytes)
	require.Equal(t, []Transfer{{8, 0, "Read", 3}, {8, 0, "Write", 4}}, s.BlockIO.Serviced)
	require.Nil(t, s.BlockIO.PSI)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "pids.current"), []byte("four"), 0o600))
	(&Stats{}).pids(r)
	require.ErrorContains(t, r.err, "pids.current")
}

// A path that is the systemd driver's, that leads out, or that names nothing is refused before anything is made.
func TestCgroupsPath(t *testing.T) {
	for path, want := range map[string]string{
		"a:b:c": "systemd", "system.slice:runc:x": "systemd", "../x": `".."`, "/a/../b": `".."`, "": "no group", "/": "no group", "./": "no group", "a\nb": "newline",
	} {
		_, _, err := components(path)
		require.ErrorContains(t, err, want, path)
	}
	for path, want := range map[string]bool{"/a/b": true, "a/b": false, "/a//b/": true, "./a/./b": false} {
		names, absolute, err := components(path)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, names)
		require.Equal(t, want, absolute)
	}
}
