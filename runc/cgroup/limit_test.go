package cgroup

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"hull/stages"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestTheKernelHoldsTheLimits(t *testing.T) {
	const mib = 1 << 20
	r := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: pointer[int64](64 * mib), Reservation: pointer[int64](32 * mib)},
		CPU:    &specs.LinuxCPU{Shares: pointer[uint64](512), Quota: pointer[int64](50000), Period: pointer[uint64](200000)},
		Pids:   &specs.LinuxPids{Limit: pointer[int64](33)},
	}
	if on(t, "memory", "memory") == 1 {
		r.Memory.Swappiness = pointer[uint64](7)
	}
	g := create(t, r)
	enter(t, g)
	if on(t, "memory", "memory") == 1 {
		require.Equal(t, itoa(64*mib), value(t, g, "memory.limit_in_bytes"))
		require.Equal(t, itoa(32*mib), value(t, g, "memory.soft_limit_in_bytes"))
		require.Equal(t, "7", value(t, g, "memory.swappiness"))
	} else {
		require.Equal(t, itoa(64*mib), value(t, g, "memory.max"))
		require.Equal(t, itoa(32*mib), value(t, g, "memory.low"))
	}
	if on(t, "cpu", "cpu") == 1 {
		require.Equal(t, "512", value(t, g, "cpu.shares"))
		require.Equal(t, "50000", value(t, g, "cpu.cfs_quota_us"))
		require.Equal(t, "200000", value(t, g, "cpu.cfs_period_us"))
	} else {
		require.Equal(t, "59", value(t, g, "cpu.weight"))
		require.Equal(t, "50000 200000", value(t, g, "cpu.max"))
	}
	on(t, "pids", "pids")
	require.Equal(t, "33", value(t, g, "pids.max"))
	require.NotEqual(t, "0", value(t, g, "pids.current"))
}

func TestSwapIsMemoryPlusSwapInTheSpec(t *testing.T) {
	const mib = 1 << 20
	v := on(t, "memory", "memory")
	g := create(t, &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer[int64](64 * mib), Swap: pointer[int64](96 * mib)}})
	if v == 1 {
		require.Equal(t, itoa(96*mib), value(t, g, "memory.memsw.limit_in_bytes"))
	} else {
		require.Equal(t, itoa(32*mib), value(t, g, "memory.swap.max"))
	}
}

func TestCpusetIsInheritedOrTaken(t *testing.T) {
	v := on(t, "cpuset", "cpuset")
	g := create(t, &specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0", Mems: "0"}})
	require.Equal(t, "0", value(t, g, "cpuset.cpus"))
	require.Equal(t, "0", value(t, g, "cpuset.mems"))
	enter(t, g)
	if v == 1 {
		all, err := detect()
		require.NoError(t, err)
		root, err := os.ReadFile(filepath.Join(find(all, "cpuset").mount, "cpuset.cpus"))
		require.NoError(t, err)
		up, err := os.ReadFile(filepath.Join(filepath.Dir(g.holding(all, "cpuset").Dir), "cpuset.cpus"))
		require.NoError(t, err)
		require.Equal(t, string(root), string(up), "the directory between has its parent's CPUs")
	}
}

func TestThrottlingABlockDevice(t *testing.T) {
	v := on(t, "blkio", "io")
	device := blockDevice(t)
	g := create(t, &specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
		ThrottleReadBpsDevice:   throttle(device[0], device[1], 1<<20),
		ThrottleWriteIOPSDevice: throttle(device[0], device[1], 50),
	}})
	dev := itoa(int(device[0])) + ":" + itoa(int(device[1])) + " "
	if v == 1 {
		require.Equal(t, dev+"1048576", value(t, g, "blkio.throttle.read_bps_device"))
		require.Equal(t, dev+"50", value(t, g, "blkio.throttle.write_iops_device"))
	} else {
		require.Equal(t, dev+"rbps=1048576 wbps=max riops=max wiops=50", value(t, g, "io.max"))
	}
}

// blockDevice is the number of some whole disk of the machine.
func blockDevice(t *testing.T) [2]int64 {
	t.Helper()
	files, err := filepath.Glob("/sys/block/*/dev")
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		major, minor, _ := strings.Cut(strings.TrimSpace(string(text)), ":")
		a, err := strconv.ParseInt(major, 10, 64)
		require.NoError(t, err)
		b, err := strconv.ParseInt(minor, 10, 64)
		require.NoError(t, err)
		return [2]int64{a, b}
	}
	t.Skip("no block device")
	return [2]int64{}
}

func TestHugePages(t *testing.T) {
	v := on(t, "hugetlb", "hugetlb")
	sizes, err := filepath.Glob("/sys/kernel/mm/hugepages/hugepages-2048kB")
	require.NoError(t, err)
	if len(sizes) == 0 {
		t.Skip("no 2 MB pages")
	}
	g := create(t, &specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 << 20}}})
	file := "hugetlb.2MB.max"
	if v == 1 {
		file = "hugetlb.2MB.limit_in_bytes"
	}
	require.Equal(t, itoa(4<<20), value(t, g, file))
}

func TestWhatCannotBeHadNamesTheControllerAndTheFile(t *testing.T) {
	name := parent(t)
	all, err := detect()
	require.NoError(t, err)
	cases := map[string]*specs.LinuxResources{
		`hugetlb: hugetlb.2XB`:      {HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2XB", Limit: 1}}},
		`unified: cgroup.procs`:     {Unified: map[string]string{"cgroup.procs": "1"}},
		`unified: ../memory.max`:    {Unified: map[string]string{"../memory.max": "1"}},
		`nothere: nothere.max`:      {Unified: map[string]string{"nothere.max": "1"}},
		`devices: type "z"`:         {Devices: []specs.LinuxDeviceCgroup{{Type: "z", Access: "r"}}},
		`devices: type "c", access`: {Devices: []specs.LinuxDeviceCgroup{{Type: "c", Access: ""}}},
	}
	if find(all, "net_cls") == nil {
		cases["net_cls: net_cls.classid"] = &specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: pointer[uint32](1)}}
	}
	if find(all, "rdma") == nil {
		cases["rdma: rdma.max"] = &specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx": {HcaHandles: pointer[uint32](1)}}}
	}
	if h := find(all, "memory"); h != nil && h.version == 2 {
		cases["memory: memory.swappiness"] = &specs.LinuxResources{Memory: &specs.LinuxMemory{Swappiness: pointer[uint64](1)}}
	}
	for want, r := range cases {
		_, _, err := Create(context.Background(), name+"/box", r)
		require.ErrorContains(t, err, "runc.cgroup.limits: "+want)
		require.True(t, slices.Contains([]stages.Kind{stages.Invalid, stages.Unsupported}, stages.KindOf(err)), want)
	}
}

func TestTheSharesConversionMeetsTheRuntimes(t *testing.T) {
	// The values of opencontainers/cgroups' own documentation.
	for shares, want := range map[uint64]uint64{1: 1, 2: 1, 1024: 100, 262144: 10000, 1 << 30: 10000} {
		require.Equal(t, want, weight(shares), shares)
	}
	last := uint64(0)
	for shares := uint64(2); shares <= 262144; shares *= 2 {
		require.Greater(t, weight(shares), last)
		last = weight(shares)
	}
}

func TestV2RowsAreTheConvertedOnes(t *testing.T) {
	all := []hierarchy{{version: 2, controllers: []string{"cpu", "memory", "io", "pids", "hugetlb"}}}
	l, err := plan(all, &specs.LinuxResources{
		Memory:  &specs.LinuxMemory{Limit: pointer[int64](100), Swap: pointer[int64](-1), Reservation: pointer[int64](50)},
		CPU:     &specs.LinuxCPU{Shares: pointer[uint64](1024), Period: pointer[uint64](5000)},
		Pids:    &specs.LinuxPids{Limit: pointer[int64](-1)},
		BlockIO: &specs.LinuxBlockIO{Weight: pointer[uint16](500), ThrottleReadBpsDevice: throttle(8, 0, 0)},
		Unified: map[string]string{"memory.high": "90", "memory.max": "101"},
	})
	require.NoError(t, err)
	var got []string
	for _, r := range l.rows {
		got = append(got, r.file+"="+r.value)
	}
	require.Equal(t, []string{
		"cpu.weight=100", "cpu.max=max 5000", "memory.max=100", "memory.swap.max=max", "memory.low=50", "pids.max=max",
		"io.weight=default 4950", "io.max=8:0 rbps=max", "memory.high=90", "memory.max=101",
	}, got)

	_, err = plan(all, &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: pointer[int64](100), Swap: pointer[int64](99)}})
	require.Equal(t, stages.Invalid, stages.KindOf(err))
	_, err = plan(all, &specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: pointer[int64](99)}})
	require.Equal(t, stages.Invalid, stages.KindOf(err))
}
