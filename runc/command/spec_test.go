package command_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// What spec writes is what runc writes, but for the version, the name, and what runc 1.1.5 asks for and does not get: ambient capabilities
// that are not inheritable. A cgroup namespace, which runc adds on cgroup v2 only, is always there. The form is the same to the byte.
func TestSpecAsRunc(t *testing.T) {
	b := newBench(t, nil)
	for _, flags := range [][]string{nil, {"--rootless"}} {
		var text [2]string
		for i, runtime := range []string{"hull-runc", "runc"} {
			dir := t.TempDir()
			cmd := b.as(runtime, append(append([]string{"spec"}, flags...), "--bundle", dir)...)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			text[i] = read(t, dir+"/config.json")
			again := b.as(runtime, "spec", "-b", dir)
			out, err = again.CombinedOutput()
			require.Equal(t, 1, code(t, err))
			require.Contains(t, string(out), "File config.json exists. Remove it first")
			require.Equal(t, text[i], read(t, dir+"/config.json"))
		}
		var theirs specs.Spec
		require.NoError(t, json.Unmarshal([]byte(text[1]), &theirs))
		theirs.Version, theirs.Hostname, theirs.Process.Capabilities.Ambient = specs.Version, "hull-runc", nil
		list := theirs.Linux.Namespaces
		at := 1 + slices.IndexFunc(list, func(n specs.LinuxNamespace) bool { return n.Type == specs.MountNamespace })
		theirs.Linux.Namespaces = slices.Insert(list, at, specs.LinuxNamespace{Type: specs.CgroupNamespace})
		want, err := json.MarshalIndent(theirs, "", "\t")
		require.NoError(t, err)
		require.Equal(t, string(want), text[0])
	}
	require.Contains(t, b.fails("spec", "--bundle", "/nosuch"), "/nosuch/config.json: no such file")
	require.Contains(t, b.fails("spec", "extra"), "1 arguments")
}

// The written bundle runs, as it is but for the terminal.
func TestSpecRuns(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, os.Remove(b.bundle+"/config.json"))
	b.must("spec", "--bundle", b.bundle)
	b.spec = &specs.Spec{}
	require.NoError(t, json.Unmarshal([]byte(read(t, b.bundle+"/config.json")), b.spec))
	b.spec.Process.Terminal, b.spec.Process.Args = false, []string{"sh", "-c", "hostname; id -u"}
	id := b.id("spec")
	require.Equal(t, "hull-runc\n0\n", b.must("run", "--bundle", b.bundle, id))
}
