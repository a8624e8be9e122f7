package collect_test

import (
	"encoding/json"
	"os"
	"testing"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/model"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// TestKernelOurRuntime holds every claim of hull-runc on a real bundle against the kernel.
func TestKernelOurRuntime(t *testing.T) {
	probetest.Need(t, "root", "btf", "busybox")
	runc := probetest.Build(t, "hull-runc")
	dir, id := bundle(t, "exit 3")
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, nil, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
	trace := tr.end(ctx)
	for _, s := range trace.Spans {
		t.Logf("%s %s %s %s %v %s | %s", s.Name, s.Instance, s.Claim, s.Proof, s.Proc, s.Error, s.Because)
	}
	require.Zero(t, trace.Lost)
	for _, s := range trace.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
		require.NotEqual(t, stages.None, s.Step().ID, s.Name)
	}
}

// TestKernelUserNamespace: hull-trace reads the id maps of the first process itself.
func TestKernelUserNamespace(t *testing.T) {
	probetest.Need(t, "root", "btf", "peers")
	runc := probetest.Build(t, "hull-runc")
	dir, id := bundle(t, "exit 3")
	var spec specs.Spec
	text, err := os.ReadFile(dir + "/config.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &spec))
	spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: 170000, Size: 1000}}
	spec.Linux.GIDMappings = spec.Linux.UIDMappings
	text, err = json.Marshal(spec)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/config.json", text, 0o600))
	tr := start(t)
	ctx := tr.begin(0)
	tr.run(ctx, nil, actor(t, "hull-shim"), runc, t.TempDir(), dir, id)
	trace := tr.end(ctx)
	for _, s := range trace.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
	}
	maps := spansOf(trace, stages.RuncNsUsermap.String())
	require.Len(t, maps, 1)
	require.Equal(t, model.Proved, maps[0].Proof, maps[0].Because)
	require.Contains(t, maps[0].Because, "uid_map: 0 170000 1000")
}
