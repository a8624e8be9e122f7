package main_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hull/client/dockertest"
	"hull/containerd/containerdtest"
	"hull/containerd/imagetest"
	"hull/stages/probetest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// specFlags are flags of run whose runtime spec is compared: what hulld makes of them is what dockerd makes of them, but for the differences
// that differences names. dockerd here is Debian's 20.10, the only one that a test can start. (It can start nothing privileged where root lacks a
// capability, as in most test machines.)
var specFlags = []string{
	"",
	"-t",
	"-u 1000:1000 -w /some/where -h box --domainname example.org -e A=1",
	"--cap-add NET_ADMIN --cap-drop CHOWN --cap-drop MKNOD",
	"--cap-drop ALL --cap-add CHOWN --group-add 7",
	"--security-opt no-new-privileges --security-opt seccomp=unconfined",
	"--security-opt systempaths=unconfined --security-opt apparmor=unconfined",
	"--read-only --tmpfs /t --tmpfs /u:size=1m,exec,mode=700",
	"--mount type=bind,src=/usr,dst=/a,readonly --mount type=tmpfs,dst=/b,tmpfs-size=1m -v /usr:/c:ro",
	"--mount type=bind,src=/usr,dst=/a/b/c -v /etc:/a/b -v /srv:/a",
	"-v /dev:/dev",
	"-v /etc/hosts:/etc/hosts --shm-size 1m",
	"--ulimit nofile=100:200 --ulimit core=0 --oom-score-adj 300",
	"--sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4096",
	"--device /dev/null:/dev/x:r --device-cgroup-rule c~7:*~rw",
	"-m 64m --memory-reservation 32m --memory-swappiness 7 --pids-limit 9",
	"-m 64m --memory-swap -1 --oom-kill-disable",
	"-m 64m --memory-swap 96m --cpus 0.5",
	"--cpu-shares 512 --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0",
	"--pid host --uts host --ipc host --network host",
	"--ipc none",
	"--cgroupns private",
}

var updateSpecs = flag.Bool("update-specs", false, "record dockerd's specs anew")

const recordedSpecs = "testdata/specs.json"

// TestSpecAgreesWithDockerd compares the spec that hulld hands to containerd with the one that dockerd does. dockerd's are recorded
// (-update-specs), and one of them is asked for anew: it takes seconds for each container.
func TestSpecAgreesWithDockerd(t *testing.T) {
	probetest.Need(t, "root", "peers", "docker")
	want := map[string][]string{}
	raw, err := os.ReadFile(recordedSpecs)
	if !*updateSpecs {
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &want))
	}
	// First dockerd, and gone again before hull is up: it dies with the thread that started it, and up ends threads.
	t.Run("dockerd", func(t *testing.T) {
		d := dockertest.Start(t)
		_, err := d.Docker("load", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
		require.NoError(t, err)
		for i, flags := range specFlags {
			if !*updateSpecs && i != 2 {
				continue
			}
			out, err := d.Docker(append([]string{"run", "-d"}, specArgs(flags)...)...)
			require.NoError(t, err)
			id := strings.TrimSpace(out)
			raw, err := os.ReadFile(d.Containerd.Root + "/run/io.containerd.runtime.v2.task/moby/" + id + "/config.json")
			require.NoError(t, err)
			_, err = d.Docker("rm", "-f", id)
			require.NoError(t, err)
			now := normal(t, raw, id)
			if !*updateSpecs {
				require.Equal(t, want[flags], now, "dockerd makes another spec than it did: record them anew")
			}
			want[flags] = now
		}
	})
	e := up(t)
	ctr := containerdtest.Containerd{Socket: e.inst.ContainerdSocket()}
	for _, flags := range specFlags {
		t.Run(flags, func(t *testing.T) {
			id := strings.TrimSpace(e.ok(append([]string{"create"}, specArgs(flags)...)...))
			out, err := ctr.Ctr("-n", "hull", "containers", "info", "--spec", id)
			require.NoError(t, err)
			e.ok("rm", id)
			ours, theirs := normal(t, []byte(out), id), want[flags]
			assert.Empty(t, slices.DeleteFunc(slices.Clone(ours), func(line string) bool { return slices.Contains(theirs, line) }), "only hulld's has it")
			assert.Empty(t, slices.DeleteFunc(slices.Clone(theirs), func(line string) bool { return slices.Contains(ours, line) }), "only dockerd's has it")
		})
	}
	if *updateSpecs {
		raw, err := json.MarshalIndent(want, "", " ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(recordedSpecs, append(raw, '\n'), 0o644))
	}
}

// specArgs are the arguments of run; "~" is a blank inside one.
func specArgs(flags string) (args []string) {
	for _, a := range strings.Fields(flags) {
		args = append(args, strings.ReplaceAll(a, "~", " "))
	}
	if !strings.Contains(flags, "--network") {
		args = append(args, "--network", "none")
	}
	return append(args, "busybox", "sleep", "1000")
}

type object = map[string]any

// normal is a spec as a list of lines, one for each thing that it says, without the differences that have a reason.
func normal(t *testing.T, raw []byte, id string) (lines []string) {
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte(id), []byte("ID")), []byte(id[:12]), []byte("ID"))
	var spec object
	require.NoError(t, json.Unmarshal(raw, &spec))
	for _, d := range differences {
		d.remove(spec)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case object:
			name, _ := v["destination"].(string) // a mount is known by its place, not by its number
			for key, value := range v {
				walk(path+name+"."+key, value)
			}
		case []any:
			for _, value := range v {
				walk(path, value)
			}
		default:
			lines = append(lines, fmt.Sprintf("%s %v", path, v))
		}
	}
	walk("", spec)
	slices.Sort(lines)
	return slices.Compact(lines)
}

// A difference is something in which the two need not agree, and why.
type difference struct {
	why    string
	remove func(spec object)
}

// at is the object at a path of names; an empty one if there is none.
func at(spec object, path ...string) object {
	for _, name := range path {
		next, _ := spec[name].(object)
		if next == nil {
			return object{}
		}
		spec = next
	}
	return spec
}

func list(spec object, name string) []any { l, _ := spec[name].([]any); return l }

// without is the list without what drop says.
func without(spec object, name string, drop func(any) bool) {
	if l := list(spec, name); l != nil {
		spec[name] = slices.DeleteFunc(slices.Clone(l), drop)
	}
}

var differences = []difference{
	{"each has places of its own", func(s object) {
		delete(at(s, "root"), "path")
		delete(at(s, "linux"), "cgroupsPath")
		for _, m := range list(s, "mounts") {
			m := m.(object)
			if strings.Contains(m["source"].(string), "/containers/") {
				m["source"] = "DIR/" + filepath.Base(m["source"].(string))
			}
		}
	}},
	{"hull uses nothing newer than 1.1, dockerd 20.10 nothing newer than 1.0", func(s object) { delete(s, "ociVersion") }},
	{"dockerd has its network made by a hook of the runtime", func(s object) { delete(s, "hooks") }},
	{"dockerd writes limits down that nobody asked for: a weight of 0, swappiness and OOM killer as they are", func(s object) {
		r := at(s, "linux", "resources")
		if at(r, "blockIO")["weight"] == 0.0 {
			delete(r, "blockIO")
		}
		if at(r, "cpu")["shares"] == 0.0 {
			delete(at(r, "cpu"), "shares")
		}
		if m := at(r, "memory"); m["disableOOMKiller"] == false {
			delete(m, "disableOOMKiller")
		}
	}},
	{"hull gives a container a cgroup namespace on v1 as well, where docker's default is the host's", func(s object) {
		without(at(s, "linux"), "namespaces", func(n any) bool { return n.(object)["type"] == "cgroup" })
	}},
	{"for --network host dockerd names its own namespace, hull none", func(s object) {
		without(at(s, "linux"), "namespaces", func(n any) bool {
			path, _ := n.(object)["path"].(string)
			return strings.HasSuffix(path, "/netns/default")
		})
	}},
	{"later dockers hide more of /proc and /sys (CVE-2020-8694 and others), and hull hides what they do", func(s object) {
		without(at(s, "linux"), "maskedPaths", func(p any) bool {
			return p == "/proc/interrupts" || p == "/sys/devices/virtual/powercap" || strings.HasSuffix(p.(string), "thermal_throttle")
		})
	}},
	{"hull has the system call profile of a later docker", func(s object) {
		if filter := at(s, "linux", "seccomp"); len(filter) > 0 {
			s["linux"].(object)["seccomp"] = "a profile"
		}
	}},
	{"a read-only bind mount of hull's, as of later dockers, is read-only in what is mounted below it too", func(s object) {
		for _, m := range list(s, "mounts") {
			for i, o := range list(m.(object), "options") {
				if o == "rro" {
					list(m.(object), "options")[i] = "ro"
				}
			}
		}
	}},
	{"another user than root holds no capability: dockerd leaves it to execve(2) to take them away, hull writes it down", func(s object) {
		if at(s, "process", "user")["uid"] != 0.0 {
			delete(at(s, "process", "capabilities"), "effective")
			delete(at(s, "process", "capabilities"), "permitted")
		}
	}},
	{"dockerd leaves HOME to the runtime", func(s object) {
		without(at(s, "process"), "env", func(v any) bool { return strings.HasPrefix(v.(string), "HOME=") })
	}},
}
