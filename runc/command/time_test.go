package command_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

const day = 24 * 60 * 60

// withTime gives a container a time namespace in which the machine has been up for ten days longer.
func withTime(s *specs.Spec) {
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.TimeNamespace})
	s.Linux.TimeOffsets = map[string]specs.LinuxTimeOffset{"boottime": {Secs: 10 * day, Nanosecs: 5}, "monotonic": {Secs: 3 * day}}
}

// uptime is the first number of a /proc/uptime, in seconds.
func uptime(t *testing.T, text string) float64 {
	seconds, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
	require.NoError(t, err)
	return seconds
}

// The first process, and one that exec adds, are in a time namespace whose clocks are ahead; with and without a user namespace around it.
func TestTimeNamespace(t *testing.T) {
	for name, users := range map[string]bool{"alone": false, "in a user namespace": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, withTime)
			if users {
				withUsers(b.spec)
				chownTree(t, b.bundle+"/rootfs", firstUID, firstGID)
			}
			b.spec.Process.Args = []string{"sleep", "1000"}
			id := b.id("time")
			pid, _ := b.create(id)
			proc := fmt.Sprintf("/proc/%d/", pid)
			require.NotEqual(t, link(t, "/proc/self/ns/time"), link(t, proc+"ns/time"))
			require.Equal(t, link(t, proc+"ns/time_for_children"), link(t, proc+"ns/time"))
			require.Equal(t, strings.Fields("monotonic 259200 0 boottime 864000 5"), strings.Fields(read(t, proc+"timens_offsets")))
			if users {
				require.Equal(t, nsInode(t, proc+"ns/user"), ownerOf(t, proc+"ns/time"))
			}
			b.must("start", id)
			before := uptime(t, read(t, "/proc/uptime"))
			inside, errs, code := b.exits(id, "cat", "/proc/uptime")
			require.Zero(t, code, errs)
			after := uptime(t, read(t, "/proc/uptime"))
			require.LessOrEqual(t, before+10*day, uptime(t, inside))
			require.LessOrEqual(t, uptime(t, inside), after+10*day+0.01)
			added, _, err := b.detached(id, b.process(nil, "sleep", "1000"))
			require.NoError(t, err)
			require.Equal(t, link(t, proc+"ns/time"), link(t, fmt.Sprintf("/proc/%d/ns/time", added)))

			// Another container joins it, and has its clocks.
			other := newBench(t, func(s *specs.Spec) {
				s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.TimeNamespace, Path: proc + "ns/time"})
			})
			joined, code := other.inside("joined", "readlink /proc/self/ns/time; cat /proc/uptime")
			require.Zero(t, code)
			require.True(t, strings.HasPrefix(joined, link(t, proc+"ns/time")+"\n"), joined)
			require.Greater(t, uptime(t, strings.SplitN(joined, "\n", 2)[1]), float64(10*day))

			b.must("kill", "--all", id, "KILL")
			reap(t, added)
			reap(t, pid)
			b.must("delete", id)
		})
	}
}

func TestBadTime(t *testing.T) {
	b := newBench(t, nil)
	good := *b.spec
	offset := func(name string, o specs.LinuxTimeOffset) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Linux.TimeOffsets = map[string]specs.LinuxTimeOffset{name: o} }
	}
	for want, change := range map[string]func(*specs.Spec){
		"linux.timeOffsets: time namespace offsets specified, but time namespace isn't enabled": func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[:6] },
		"linux.timeOffsets: time namespace enabled, but both namespace path and time offsets":   func(s *specs.Spec) { s.Linux.Namespaces[6].Path = "/proc/self/ns/time" },
		"linux.timeOffsets.realtime: there is no such clock":                                    offset("realtime", specs.LinuxTimeOffset{Secs: 1}),
		"linux.timeOffsets.boottime: 1000000000 nanoseconds":                                    offset("boottime", specs.LinuxTimeOffset{Nanosecs: 1e9}),
		"linux.timeOffsets.monotonic: -1000000000 seconds from now":                             offset("monotonic", specs.LinuxTimeOffset{Secs: -1e9}),
		"linux.timeOffsets.boottime: 9223372036854775807 seconds from now":                      offset("boottime", specs.LinuxTimeOffset{Secs: 1<<63 - 1}),
	} {
		t.Run(want, func(t *testing.T) {
			var s specs.Spec
			copyJSON(t, &good, &s)
			b.spec = &s
			withTime(b.spec)
			change(b.spec)
			require.Contains(t, b.createFails(b.id("bad")), want)
			b.noneLeft()
		})
	}
}
