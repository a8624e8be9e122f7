package cgroup

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"hull/shim/wire"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	g := parse("9:name=systemd:/a\n2:cpu,cpuacct:/a/b\n4:memory:/m\n0::/u\n")
	require.Equal(t, Group{v1: map[string]string{
		"cpu": "/sys/fs/cgroup/cpu/a/b", "cpuacct": "/sys/fs/cgroup/cpuacct/a/b", "memory": "/sys/fs/cgroup/memory/m",
	}, v2: "/sys/fs/cgroup/unified/u"}, g)
	require.Equal(t, Group{v1: map[string]string{}, v2: "/sys/fs/cgroup/system.slice/x"}, parse("0::/system.slice/x\n"))
	require.Equal(t, Group{v1: map[string]string{}}, parse("what\n"))
	require.Nil(t, Group{}.Metrics())
	require.Empty(t, Group{}.Processes())
	require.Zero(t, Group{}.OOMKills())
}

func write(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

// The files are those of a Linux 6.1 machine with cgroup v2 only.
func TestVersion2(t *testing.T) {
	dir := write(t, map[string]string{
		"cgroup.procs":        "1\n22\n",
		"pids.current":        "2\n",
		"pids.max":            "max\n",
		"cpu.stat":            "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 3\nthrottled_usec 2\nnr_bursts 1\nburst_usec 5\n",
		"cpu.pressure":        "some avg10=1.50 avg60=0.25 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
		"memory.stat":         "anon 1\nfile 2\nworkingset_refault_anon 3\nworkingset_refault_file 4\nthp_collapse_alloc 9\nnew_counter 5\n",
		"memory.current":      "4096\n",
		"memory.max":          "67108864\n",
		"memory.swap.current": "0\n",
		"memory.swap.max":     "max\n",
		"memory.peak":         "8192\n",
		"memory.events":       "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 0\n",
		"io.stat":             "8:0 rbytes=512 wbytes=1024 rios=1 wios=2 dbytes=0 dios=0\n7:0 \n",
		"hugetlb.2MB.current": "2097152\n", "hugetlb.2MB.max": "max\n", "hugetlb.2MB.events": "max 6\n", "hugetlb.2MB.rsvd.current": "0\n",
	})
	g := Group{v2: dir}
	m := g.Metrics().(*wire.Cgroup2Metrics)
	require.Equal(t, &wire.Cgroup2Pids{Current: 2, Limit: math.MaxUint64}, m.Pids)
	require.Equal(t, &wire.Cgroup2CPU{
		UsageUsec: 30, UserUsec: 20, SystemUsec: 10, NrPeriods: 4, NrThrottled: 3, ThrottledUsec: 2, NrBursts: 1, BurstUsec: 5,
		PSI: &wire.PSIStats{Some: &wire.PSIData{Avg10: 1.5, Avg60: 0.25, Total: 77}, Full: &wire.PSIData{Total: 1}},
	}, m.CPU)
	require.Equal(t, &wire.Cgroup2Memory{
		Anon: 1, File: 2, WorkingsetRefault: 7, ThpCollapseAlloc: 9, Usage: 4096, UsageLimit: 64 << 20, SwapLimit: math.MaxUint64, MaxUsage: 8192,
	}, m.Memory)
	require.Equal(t, &wire.Cgroup2MemoryEvents{High: 1, Max: 2, Oom: 3, OomKill: 4}, m.MemoryEvents)
	require.Equal(t, []*wire.Cgroup2IOEntry{{Major: 8, Rbytes: 512, Wbytes: 1024, Rios: 1, Wios: 2}, {Major: 7}}, m.Io.Usage)
	require.Equal(t, []*wire.Cgroup2Hugetlb{{Current: 2 << 20, Max: math.MaxUint64, Pagesize: "2MB", Failcnt: 6}}, m.Hugetlb)
	require.EqualValues(t, 4, g.OOMKills())
	require.Equal(t, []int{1, 22}, g.Processes())
	require.Nil(t, Group{v2: filepath.Join(dir, "gone")}.Metrics())
}

// A watch on version 2 is on a file's change, which an ordinary file has as well.
func TestWatchVersion2(t *testing.T) {
	dir := write(t, map[string]string{"memory.events": "oom_kill 0\n"})
	out := make(chan struct{}, 10)
	w, err := Group{v2: dir}.WatchOOM(func() { out <- struct{}{} })
	require.NoError(t, err)
	set := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "memory.events"), []byte(text), 0o600))
	}
	set("oom_kill 1\n")
	<-out
	set("low 1\noom_kill 1\n") // another counter's change
	set("low 1\noom_kill 2\n")
	<-out
	require.Empty(t, out)
	w.Close()
	w, err = Group{}.WatchOOM(nil)
	require.NoError(t, err)
	w.Close()
}

// What the kernel of this machine says of the test itself.
func TestThisProcess(t *testing.T) {
	g := Of(os.Getpid())
	pids := g.Processes()
	if len(pids) == 0 {
		probetest.Need(t, "root")
	}
	require.Contains(t, pids, os.Getpid())
	require.NotNil(t, g.Metrics())
}

// Real: a group of the test's own, of the version that counts memory here, and a process in it that the kernel kills for memory.
func TestMemoryRunsOut(t *testing.T) {
	probetest.Need(t, "root")
	g, dir, limit := ownGroup(t)
	require.NoError(t, os.Mkdir(dir, 0o755))
	removed := false
	defer func() {
		if !removed {
			os.Remove(dir)
		}
	}()
	require.NoError(t, os.WriteFile(filepath.Join(dir, limit), []byte("33554432"), 0o600))
	switch m := g.Metrics().(type) {
	case *wire.Cgroup1Metrics:
		require.EqualValues(t, 32<<20, m.Memory.Usage.Limit)
		require.EqualValues(t, 32<<20, m.Memory.HierarchicalMemoryLimit)
		require.NotNil(t, m.MemoryOomControl)
		require.Nil(t, m.CPU)
	case *wire.Cgroup2Metrics:
		require.EqualValues(t, 32<<20, m.Memory.UsageLimit)
		require.NotNil(t, m.MemoryEvents)
	}
	out := make(chan struct{}, 100)
	w, err := g.WatchOOM(func() { out <- struct{}{} })
	require.NoError(t, err)
	require.NotNil(t, w)
	cmd := eater(t, dir)
	require.Error(t, cmd.Run())
	require.Equal(t, syscall.SIGKILL, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
	<-out
	require.EqualValues(t, 1, g.OOMKills())
	require.NoError(t, os.Remove(dir))
	removed = true
	require.Nil(t, g.Metrics())
	w.Close()
}

// ownGroup names a group that is not there yet, and the file of its limit.
func ownGroup(t *testing.T) (g Group, dir, limit string) {
	name := "hull-test-" + strconv.Itoa(os.Getpid())
	own := Of(os.Getpid())
	if memory := own.v1["memory"]; memory != "" {
		dir = filepath.Join(memory, name)
		return Group{v1: map[string]string{"memory": dir}}, dir, "memory.limit_in_bytes"
	}
	// A group with processes hands no controller on, but for the root.
	dir = filepath.Join(mountpoint, name)
	require.NoError(t, os.WriteFile(filepath.Join(mountpoint, "cgroup.subtree_control"), []byte("+memory"), 0o600))
	return Group{v2: dir}, dir, "memory.max"
}
