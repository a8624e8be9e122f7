package command_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// keys are the paths of all fields of a JSON document.
func keys(prefix string, v any, into map[string]bool) {
	if m, ok := v.(map[string]any); ok {
		for k, v := range m {
			into[prefix+k] = true
			keys(prefix+k+".", v, into)
		}
	}
}

// The counters are those of runc for the same container, field by field; those that stand still are equal.
func TestEventsAsRunc(t *testing.T) {
	probetest.Need(t, "memory-v1")
	limit, pids := int64(64<<20), int64(50)
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sleep", "1000"}
		s.Linux.Resources = &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}, Pids: &specs.LinuxPids{Limit: &pids}}
	})
	var all [2]map[string]any
	for i, runtime := range []string{"hull-runc", "runc"} {
		id, pidFile := b.id("events"), t.TempDir()+"/pid"
		out, errs, err := b.exec(b.as(runtime, "run", "--detach", "--bundle", b.bundle, "--pid-file", pidFile, id))
		require.NoError(t, err, out+errs)
		cmd := b.as(runtime, "events", "--stats", id)
		text, err := cmd.Output()
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &all[i]))
		require.Equal(t, 1, bytes.Count(text, []byte("\n")))
		require.NoError(t, b.as(runtime, "delete", "--force", id).Run())
		var ws unix.WaitStatus
		unix.Wait4(-1, &ws, 0, nil)
	}
	data := func(i int, path string) any {
		v := any(all[i])
		for part := range strings.SplitSeq(path, ".") {
			v = v.(map[string]any)[part]
		}
		return v
	}
	ours, theirs := map[string]bool{}, map[string]bool{}
	keys("", all[0], ours)
	keys("", all[1], theirs)
	require.Equal(t, "stats", data(0, "type"))
	for key := range maps.Keys(theirs) {
		if !strings.HasPrefix(key, "data.cpu.throttling.") { // left out while they are 0
			require.Contains(t, ours, key)
		}
	}
	for key := range maps.Keys(ours) { // hugetlb is on cgroup v2 here, where runc 1.1 does not look on a hybrid machine
		require.True(t, theirs[key] || strings.HasPrefix(key, "data.hugetlb.") || strings.HasPrefix(key, "data.cpu.throttling."), key)
	}
	for _, same := range []string{"data.cpuset", "data.memory.usage.limit", "data.memory.swap.limit", "data.memory.kernel.limit", "data.pids", "data.intel_rdt", "data.network_interfaces"} {
		require.Equal(t, data(1, same), data(0, same), same)
	}
	require.Greater(t, data(0, "data.cpu.usage.total"), 0.0)
	require.Greater(t, data(0, "data.memory.usage.usage"), 0.0)
}

// A line at each interval, one for a shortage of memory, and the end with the container's.
func TestEventsUntilTheEnd(t *testing.T) {
	probetest.Need(t, "memory-v1")
	limit := int64(8 << 20)
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Args = []string{"sh", "-c", "read go; x=0123456789abcdef; while :; do x=$x$x; done"}
		s.Linux.Resources = &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit, Swap: &limit}}
	})
	id := b.id("oom")
	run := b.as("hull-runc", "run", "--bundle", b.bundle, id)
	in, err := run.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	var events *bufio.Reader
	for {
		cmd := b.as("hull-runc", "events", "--interval", "10ms", id)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		events = bufio.NewReader(out)
		if _, err := events.Peek(1); err == nil {
			defer cmd.Wait()
			break
		}
		cmd.Wait() // the container is not made yet
	}
	var types []string
	read := func() bool {
		line, err := events.ReadBytes('\n')
		if err != nil {
			return false
		}
		var e struct{ Type, ID string }
		require.NoError(t, json.Unmarshal(line, &e))
		require.Equal(t, id, e.ID)
		types = append(types, e.Type)
		return true
	}
	for range 3 {
		require.True(t, read())
	}
	require.Equal(t, []string{"stats", "stats", "stats"}, types)
	_, err = in.Write([]byte("go\n"))
	require.NoError(t, err)
	for read() {
	}
	require.True(t, slices.Contains(types, "oom"), "%v", types)
	require.Equal(t, 137, code(t, run.Wait()))
}

func TestEventsRefused(t *testing.T) {
	b := newBench(t, nil)
	require.Contains(t, b.fails("events", "--interval", "0s", "x"), "duration interval must be greater than 0")
	require.Contains(t, b.fails("events", "--interval", "x", "x"), "invalid value")
	require.Contains(t, b.fails("events", "nosuch"), "does not exist")
	id := b.id("stopped")
	_, _, err := b.run("run", "--keep", "--bundle", b.bundle, id)
	require.NoError(t, err)
	require.Contains(t, b.fails("events", id), "is not running")
	require.Contains(t, b.fails("events", "--stats", id), "is not running")
	b.must("delete", id)
}
