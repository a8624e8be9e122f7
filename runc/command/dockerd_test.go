package command_test

import (
	"testing"

	"hull/client/dockertest"
	"hull/containerd/imagetest"
	"hull/runc/command"

	"github.com/stretchr/testify/require"
)

// TestDockerd has Debian's docker, dockerd and containerd drive the runtime, and compares with what the same dockerd does with Debian's runc.
func TestDockerd(t *testing.T) {
	d := dockertest.Start(t, "--add-runtime", "hull="+hullRunc(t), "--default-runtime", "hull")
	_, err := d.Docker("load", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
	require.NoError(t, err)
	// dockerd asks its default runtime for --version, and understands the answer.
	out, err := d.Docker("version", "--format", "{{range .Server.Components}}{{.Name}} {{.Version}},{{end}}")
	require.NoError(t, err)
	require.Contains(t, out, ",hull "+command.Version+",")
	cmd := d.Command()
	e := &engine{
		name: "docker", prefix: cmd.Args, env: cmd.Env, root: d.Root, parent: d.Cgroup, states: []string{d.Root + "/exec/runtime-*/moby/*"},
		flags: map[string][]string{}, own: []string{d.Root + "/exec/netns/default"},
	}
	// For a network namespace of the container's own dockerd 20.10 asks for a prestart hook, libnetwork-setkey.
	for _, runtime := range []string{"hull", "runc"} {
		e.flags[runtime] = []string{"--runtime", runtime}
	}
	e.play(t)
	t.Run("terminal", e.terminal)
}
