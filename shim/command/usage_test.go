package command_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hull/containerd/containerdtest"

	"github.com/stretchr/testify/require"
)

// What a container uses, as the real ctr shows it: under our shim it is what it is under containerd's.
func TestMetrics(t *testing.T) {
	r := newRig(t)
	limits, counters := map[string]map[string]any{}, map[string]map[string]any{}
	for id, runtime := range map[string]string{"ours": runtimeName, "theirs": "io.containerd.runc.v2"} {
		r.must("run", "-d", "--null-io", "--memory-limit", "67108864", "--runtime", runtime, containerdtest.Image, id, "sleep", "1000")
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(r.must("tasks", "metrics", "--format", "json", id)), &m))
		limits[id], counters[id] = map[string]any{}, map[string]any{}
		for path, value := range flat("", m) {
			if strings.HasSuffix(path, "limit") || path == "pids.current" {
				limits[id][path] = value
			} else {
				counters[id][path] = value
			}
		}
	}
	require.Equal(t, limits["theirs"], limits["ours"])
	require.NotEmpty(t, limits["ours"])
	for _, path := range []string{"cpu.usage.total", "memory.usage.usage", "cpu.usage_usec", "memory.usage"} { // of v1, of v2
		require.Equal(t, counters["theirs"][path] != nil, counters["ours"][path] != nil, path)
	}
	require.Contains(t, r.must("tasks", "metrics", "ours"), "memory")
	for _, id := range []string{"ours", "theirs"} {
		r.must("tasks", "rm", "-f", id)
		r.must("containers", "rm", id)
	}
}

// flat is a document's values by their names with those of what they are in. A zero is not in the document.
func flat(prefix string, m map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range m {
		if inner, ok := value.(map[string]any); ok {
			maps.Copy(all, flat(prefix+key+".", inner))
		} else {
			all[prefix+key] = value
		}
	}
	return all
}

// A container uses more memory than it may: containerd hears of it before it hears of the exit, and the exit record says so.
func TestOutOfMemory(t *testing.T) {
	r := newRig(t)
	events := r.Command("events")
	file, err := os.Create(filepath.Join(t.TempDir(), "events"))
	require.NoError(t, err)
	events.Stdout = file
	require.NoError(t, events.Start())
	defer func() {
		events.Process.Kill()
		events.Wait()
	}()
	// ctr says nothing when it has begun to listen: a container's creation that it tells of is the sign.
	probe := 0
	r.until("ctr listens", func() bool {
		probe++
		id := "probe" + strings.Repeat("x", probe)
		r.must("containers", "create", containerdtest.Image, id)
		r.must("containers", "rm", id)
		return strings.Contains(read(t, file.Name()), "/containers/create")
	})
	run := func(id, script string) {
		r.must("run", "-d", "--null-io", "--memory-limit", "33554432", "--runtime", runtimeName, containerdtest.Image, id, "sh", "-c", script)
	}
	record := func(id string) (e struct {
		Status    int
		OOMKilled bool
	},
	) {
		b, err := os.ReadFile(filepath.Join(r.bundle(id), "exit.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &e))
		return e
	}
	run("first", "exec tail /dev/zero") // busybox's tail keeps a line until it ends, and this one does not
	r.until("stopped", func() bool { return r.status("first") == "STOPPED" })
	require.True(t, record("first").OOMKilled)
	require.Equal(t, 137, record("first").Status)

	// A child dies of it and the container goes on.
	run("child", "tail /dev/zero; touch /survived; sleep 1000")
	r.until("the event", func() bool { return told(t, file.Name(), "child", "/tasks/oom") })
	require.Equal(t, "RUNNING", r.status("child"))
	r.must("tasks", "kill", "-s", "SIGKILL", "child")
	r.until("stopped", func() bool { return r.status("child") == "STOPPED" })
	require.True(t, record("child").OOMKilled)

	run("fine", "exit 3")
	r.until("stopped", func() bool { return r.status("fine") == "STOPPED" })
	require.False(t, record("fine").OOMKilled)
	require.Equal(t, 3, record("fine").Status)

	r.until("the events are written", func() bool { return strings.Count(read(t, file.Name()), "/tasks/exit") == 3 })
	var order []string
	for _, line := range strings.Split(read(t, file.Name()), "\n") {
		for _, topic := range []string{"/tasks/start", "/tasks/oom", "/tasks/exit"} {
			if strings.Contains(line, topic) && strings.Contains(line, `"first"`) {
				order = append(order, topic)
			}
		}
	}
	require.Equal(t, []string{"/tasks/start", "/tasks/oom"}, order[:2])
	require.Equal(t, "/tasks/exit", order[len(order)-1])
	for _, id := range []string{"first", "child", "fine"} {
		r.remove(id)
		r.must("containers", "rm", id)
	}
}

// told reports whether one of ctr's lines has this topic and this container.
func told(t *testing.T, file, id, topic string) bool {
	for _, line := range strings.Split(read(t, file), "\n") {
		if strings.Contains(line, topic) && strings.Contains(line, `"`+id+`"`) {
			return true
		}
	}
	return false
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}
