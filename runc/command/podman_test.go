package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hull/containerd/imagetest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestPodman has Debian's podman and conmon drive the runtime, and compares with what the same podman does with Debian's runc.
func TestPodman(t *testing.T) {
	e := podman(t)
	out, err := e.output("hull", "load", "-q", "--signature-policy", e.root+"/policy.json", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
	require.NoError(t, err, out)

	// podman reads the first line of --version.
	out, err = e.output("hull", "info", "--format", "{{json .Host.OCIRuntime}}")
	require.NoError(t, err, out)
	var runtime struct{ Name, Path, Version string }
	require.NoError(t, json.Unmarshal([]byte(out), &runtime), out)
	require.Equal(t, hullRunc(t), runtime.Path)
	require.Regexp(t, `^hull-runc version \S+\nspec: 1\.\d+\.\d+\n`, runtime.Version)

	e.play(t)
	t.Run("terminal", e.terminal)
}

// podman is a podman with a root of its own. It has no daemon: each command starts from nothing but files.
func podman(t *testing.T) *engine {
	probetest.Need(t, "root", "peers", "podman")
	reapConmons(t)
	root, err := os.MkdirTemp("", "pod")
	require.NoError(t, err)
	tools := probetest.Tools()
	env := probetest.ToolEnv()
	var path, libraries string
	for _, v := range env {
		if strings.HasPrefix(v, "PATH=") {
			path = v
		}
		if strings.HasPrefix(v, "LD_LIBRARY_PATH=") {
			libraries = v
		}
	}
	storage := "CONTAINERS_STORAGE_CONF=" + root + "/storage.conf"
	for name, text := range map[string]string{
		// The hard limit of open files may be lower than podman's default. conmon hands on these variables and no others to the podman that it
		// starts when a container has ended.
		"containers.conf": fmt.Sprintf("[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=4096:4096\"]\nseccomp_profile = %q\n"+
			"[network]\nnetwork_backend = \"cni\"\nnetwork_config_dir = %q\n"+
			"[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nlock_type = \"file\"\nconmon_env_vars = [%q, %q, %q]\n[engine.runtimes]\nrunc = [%q]\n",
			tools+"/usr/share/containers/seccomp.json", root+"/cni", path, libraries, storage, tools+"/usr/sbin/runc"),
		"storage.conf":    fmt.Sprintf("[storage]\ndriver = \"overlay\"\nrunroot = %q\ngraphroot = %q\n", root+"/run", root+"/lib"),
		"policy.json":     `{"default": [{"type": "insecureAcceptAnything"}]}`,
		"registries.conf": "",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	e := &engine{
		name: "podman", root: root, parent: filepath.Base(root), states: []string{"/run/hull/runc/*", "/run/runc/*"}, own: []string{root + "/lib/overlay"},
		prefix: []string{
			tools + "/usr/bin/podman", "--root", root + "/lib", "--runroot", root + "/run", "--tmpdir", root + "/tmp", "--conmon", tools + "/usr/bin/conmon",
			"--cgroup-manager", "cgroupfs", "--events-backend", "file",
		},
		env: append(env, "HOME="+root, "XDG_RUNTIME_DIR=", "CONTAINERS_CONF="+root+"/containers.conf", "CONTAINERS_REGISTRIES_CONF="+root+"/registries.conf", storage),
		global: map[string][]string{
			// No --runtime-flag root=DIR: the podman that conmon starts would not know of it.
			"hull": {"--runtime", hullRunc(t)},
			"runc": {"--runtime", "runc"},
		},
		flags: map[string][]string{},
	}
	for name := range e.global {
		e.flags[name] = []string{"--cgroup-parent", "/" + e.parent, "--stop-timeout", "0"}
	}
	t.Cleanup(func() {
		out, err := e.output("hull", "rm", "-f", "-a")
		require.NoError(t, err, out)
		groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + e.parent)
		for _, g := range append(groups, "/sys/fs/cgroup/"+e.parent) {
			os.Remove(g + "/conmon")
			os.Remove(g)
		}
		unix.Unmount(root+"/lib/overlay", unix.MNT_DETACH) // podman's own, on itself
		for _, dir := range []string{"/run/hull/runc", "/run/hull", "/run/runc"} {
			os.Remove(dir) // if nobody else has anything there
		}
		require.NoError(t, os.RemoveAll(root))
	})
	return e
}

// output is one command of the engine, with what it printed.
func (e *engine) output(runtime string, args ...string) (string, error) {
	argv := append(append(append([]string{}, e.prefix...), e.global[runtime]...), args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = e.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// reapConmons waits for every conmon that has ended and has become a child of ours, a subreaper's: podman waits up to 20 seconds for a conmon to be
// gone, and a zombie is not. It takes no child that somebody else waits for.
func reapConmons(t *testing.T) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			lists, _ := filepath.Glob("/proc/self/task/*/children")
			for _, list := range lists {
				text, _ := os.ReadFile(list)
				for _, child := range strings.Fields(string(text)) {
					if name, _ := os.ReadFile("/proc/" + child + "/comm"); string(name) == "conmon\n" {
						pid, _ := strconv.Atoi(child)
						unix.Wait4(pid, nil, unix.WNOHANG, nil)
					}
				}
			}
		}
	}()
}
