package cgroup

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"hull/stages"
)

func TestAGroupIsMadeInEveryHierarchyAndItsFirstProcessIsInAllOfThem(t *testing.T) {
	g := create(t, nil)
	p := enter(t, g)

	text, err := os.ReadFile(filepath.Join("/proc", itoa(p.Process.Pid), "cgroup"))
	require.NoError(t, err)
	all, err := detect()
	require.NoError(t, err)
	require.Len(t, g.Members, len(all))
	want := "/hull-test-" + itoa(os.Getpid()) + "-" + t.Name() + "/box"
	for _, h := range all {
		require.Contains(t, string(text), ":"+want+"\n", h.String())
	}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if part[0] == "0" && g.unified() == nil {
			continue
		}
		require.Equal(t, want, part[2], line)
	}
	pids, err := g.PIDs()
	require.NoError(t, err)
	require.Equal(t, []int{p.Process.Pid}, pids)
}

func TestTheGroupSurvivesJSON(t *testing.T) {
	g := create(t, nil)
	text, err := json.Marshal(g)
	require.NoError(t, err)
	var again Group
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, *g, again)
	require.Contains(t, string(text), `{"members":[{"controller":`)
}

func TestKillEndsAllThatWereForkedEvenWhileFrozen(t *testing.T) {
	g := create(t, nil)
	p := enter(t, g)
	for range 3 {
		require.Equal(t, "fork: <nil>", p.say(t, "fork"))
	}
	pids, err := g.PIDs()
	require.NoError(t, err)
	require.Len(t, pids, 4)
	require.NoError(t, g.Freeze())
	require.NoError(t, g.Kill())
	pids, err = g.PIDs()
	require.NoError(t, err)
	require.Empty(t, pids)
	require.ErrorContains(t, p.Wait(), "killed")
	require.NoError(t, g.Kill(), "an empty group")
}

func TestFreezeStopsAndThawGoesOn(t *testing.T) {
	g := create(t, nil)
	p := enter(t, g)
	require.NoError(t, g.Freeze())
	f, err := g.freezer()
	require.NoError(t, err)
	f.dir.Close()
	if f.v1 {
		require.Equal(t, "FROZEN", value(t, g, "freezer.state"))
	} else {
		require.Contains(t, value(t, g, "cgroup.events"), "frozen 1")
	}
	require.NoError(t, g.Freeze(), "twice")
	require.NoError(t, g.Thaw())
	require.Equal(t, "open: <nil>", p.say(t, "open /dev/null"))
}

func TestDeleteRemovesWhatTheContainerMadeBelow(t *testing.T) {
	g := create(t, nil)
	for _, m := range g.Members {
		require.NoError(t, os.MkdirAll(filepath.Join(m.Dir, "a/b"), 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(m.Dir, "a/c"), 0o755))
	}
	require.NoError(t, g.Delete())
	for _, m := range g.Members {
		require.NoDirExists(t, m.Dir)
	}
	require.NoError(t, g.Delete(), "again")
	pids, err := g.PIDs()
	require.NoError(t, err)
	require.Empty(t, pids)
	require.Equal(t, stages.NotFound, stages.KindOf(g.Freeze()))
}

func TestDeleteOfAGroupInUseIsAConflictThatNamesTheProcess(t *testing.T) {
	g := create(t, nil)
	p := enter(t, g)
	err := g.Delete()
	require.Equal(t, stages.Conflict, stages.KindOf(err))
	require.ErrorContains(t, err, itoa(p.Process.Pid))
}

func TestAGroupInUseIsNotTakenOverAnEmptyOneIsReplaced(t *testing.T) {
	name := parent(t)
	limit := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: pointer[int64](17)}}
	g, _, err := Create(context.Background(), name+"/box", limit)
	require.NoError(t, err)
	again, _, err := Create(context.Background(), name+"/box", nil)
	require.NoError(t, err)
	require.Equal(t, g, again)
	require.Equal(t, "max", value(t, again, "pids.max"), "an old limit must not last")

	p := enter(t, again)
	_, _, err = Create(context.Background(), name+"/box", nil)
	require.Equal(t, stages.Conflict, stages.KindOf(err))
	pids, err := again.PIDs()
	require.NoError(t, err)
	require.Equal(t, []int{p.Process.Pid}, pids)
	require.NoError(t, again.Kill())
	require.NoError(t, again.Delete())
}

func TestAFailedCreateLeavesNothing(t *testing.T) {
	name := parent(t)
	all, err := detect()
	require.NoError(t, err)
	for what, r := range map[string]*specs.LinuxResources{
		"value the kernel refuses": {CPU: &specs.LinuxCPU{Cpus: "4095"}},
		"no such device":           {BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: throttle(99, 99, 1)}},
	} {
		_, _, err := Create(context.Background(), name+"/deep/box", r)
		require.Error(t, err, what)
		require.Regexp(t, `^runc.cgroup.limits: (cpuset: cpuset.cpus|blkio: blkio.throttle.read_bps_device|io: io.max): write "`, err.Error(), what)
		for _, h := range all {
			require.NoDirExists(t, filepath.Join(h.mount, name), what)
		}
	}
}

func throttle(major, minor int64, rate uint64) []specs.LinuxThrottleDevice {
	d := specs.LinuxThrottleDevice{Rate: rate}
	d.Major, d.Minor = major, minor
	return []specs.LinuxThrottleDevice{d}
}

func TestPathsThatLeadElsewhereAreRefused(t *testing.T) {
	for _, path := range []string{"", "/", "..", "/../x", "/a/../../b", "a/..", ".", "system.slice:hull:x", "/a\nb", "/" + strings.Repeat("x", 256)} {
		_, _, err := Create(context.Background(), path, nil)
		require.Equal(t, stages.Invalid, stages.KindOf(err), "%q: %v", path, err)
	}
}

func TestARelativePathLiesBelowTheCallersGroup(t *testing.T) {
	names, absolute, err := components("x/y")
	require.NoError(t, err)
	require.False(t, absolute)
	for _, c := range []struct {
		h    hierarchy
		want []string
	}{
		{hierarchy{version: 1, root: "/", own: "/user/me"}, []string{"user", "me", "x", "y"}},
		{hierarchy{version: 1, root: "/docker/ID", own: "/docker/ID/me"}, []string{"me", "x", "y"}},
		{hierarchy{version: 1, root: "/", own: "/../../other"}, []string{"other", "x", "y"}},
		{hierarchy{version: 2, root: "/", own: "/user/me"}, []string{"user", "x", "y"}},
		{hierarchy{version: 2, root: "/", own: "/"}, []string{"x", "y"}},
	} {
		require.Equal(t, c.want, c.h.below(names, absolute))
	}
	require.Equal(t, []string{"x", "y"}, hierarchy{version: 1, root: "/", own: "/user/me"}.below(names, true))
}

func TestALookAlikeTreeIsRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := openDir(dir)
	require.ErrorContains(t, err, "not a cgroup file system")

	all, err := detect()
	require.NoError(t, err)
	if len(all) == 0 {
		t.Skip("no cgroup hierarchy is mounted")
	}
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(all[0].mount, link))
	_, err = openDir(link)
	require.Error(t, err)
}

func TestNothingReachesOutOfTheGroup(t *testing.T) {
	g := create(t, nil)
	dir, err := openDir(g.Members[0].Dir)
	require.NoError(t, err)
	defer dir.Close()
	for _, name := range []string{"../cgroup.procs", "/etc/passwd", ".."} {
		_, err := openIn(dir, name, 0)
		require.Error(t, err, name)
	}
	names, err := subgroups(dir)
	require.NoError(t, err)
	require.False(t, slices.Contains(names, ".."))
}
