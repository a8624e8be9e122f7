package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hull/containerd/imagetest"
	"hull/daemon/network/networktest"
	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// runtimeSpec is what the runtime was given for a running container.
func (e *engine) runtimeSpec(id string) (s specs.Spec) {
	e.t.Helper()
	found, err := filepath.Glob(e.inst.Tasks() + "/*/" + id + "/config.json")
	require.NoError(e.t, err)
	require.Len(e.t, found, 1)
	text, err := os.ReadFile(found[0])
	require.NoError(e.t, err)
	require.NoError(e.t, json.Unmarshal(text, &s))
	return s
}

// CVE-2022-0492, with the engine's own defaults: see the same attack on the runtime alone.
func TestAttack22ReleaseAgentByDefault(t *testing.T) {
	e := up(t)
	agents := probetest.HostFiles(t, "/sys/fs/cgroup/*/release_agent")
	for _, flags := range [][]string{{}, {"--cgroupns", "host"}, {"--security-opt", "seccomp=unconfined"}, {"--cap-add", "MKNOD"}} {
		out, _, _ := e.once(append(flags, "busybox", "sh", "-c", `mkdir /c; for type in memory rdma name=systemd; do
			mount -t cgroup -o $type cgroup /c && echo mounted; unshare -UrmC sh -c "mount -t cgroup -o $type cgroup /c && echo /evil >/c/release_agent && echo wrote"
			for d in /sys/fs/cgroup/*/; do mkdir $d/attack22 && echo made; done
		done 2>/dev/null; find /sys/fs/cgroup /c -name release_agent 2>/dev/null`)...)
		require.Empty(t, out, flags)
	}
	require.Equal(t, agents, probetest.HostFiles(t, "/sys/fs/cgroup/*/release_agent"))
}

// moby's lists (daemon/pkg/oci/defaults.go, 29.0).
var (
	masked   = strings.Fields("/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware")
	readonly = strings.Fields("/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger")
)

// CVE-2017-16539 and others: files of /proc and /sys that no namespace covers tell of the host, or drive it.
func TestAttack23MaskedPaths(t *testing.T) {
	e := up(t)
	id := e.background("busybox")
	s := e.runtimeSpec(id)
	throttle, err := filepath.Glob("/sys/devices/system/cpu/cpu*/thermal_throttle")
	require.NoError(t, err)
	require.ElementsMatch(t, append(throttle, masked...), s.Linux.MaskedPaths)
	require.ElementsMatch(t, readonly, s.Linux.ReadonlyPaths)
	for _, p := range s.Linux.MaskedPaths {
		out, _, _ := e.run("exec", id, "sh", "-c", fmt.Sprintf(`if [ -d %[1]s ]; then ls -A %[1]s; echo >%[1]s/x && echo written; else cat %[1]s; fi 2>/dev/null; true`, p))
		require.Empty(t, out, p)
	}
	before := probetest.HostFiles(t, "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/sysrq")
	out, _, _ := e.run("exec", id, "sh", "-c", `for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/sysrq /proc/irq/default_smp_affinity /proc/bus/pci/devices /proc/fs/x; do
		echo x >$f && echo wrote $f; done 2>/dev/null; mount -o remount,rw /proc/sys 2>/dev/null && echo remounted; umount /proc/sys 2>/dev/null && echo unmounted; umount /proc/kcore 2>/dev/null && echo bared; true`)
	require.Empty(t, out)
	require.Equal(t, before, probetest.HostFiles(t, "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/sysrq"))
}

// GHSA-g54h-m393-cpwq, with the engine's own defaults: see the same attack on the runtime alone.
func TestAttack33DevicesByDefault(t *testing.T) {
	e := up(t)
	disks, err := os.ReadFile("/proc/partitions")
	require.NoError(t, err)
	script := "for n in 'c 1 1' 'c 1 11' 'b 7 0'"
	for _, line := range strings.Split(string(disks), "\n") {
		if f := strings.Fields(line); len(f) == 4 && f[0] != "major" {
			script += fmt.Sprintf(" 'b %s %s'", f[0], f[1])
		}
	}
	script += "; do rm -f /dev/n; mknod /dev/n $n && true </dev/n && echo read $n; true >>/dev/n && echo wrote $n; done 2>/dev/null; true"
	for _, flags := range [][]string{{}, {"--device", "/dev/null:/dev/x:r"}, {"--device-cgroup-rule", "c 7:* r"}} {
		out, _, _ := e.once(append(flags, "busybox", "sh", "-c", script)...)
		require.Empty(t, out, flags)
	}
	out, _, _ := e.once("--device-cgroup-rule", "b *:* rw", "busybox", "sh", "-c", script)
	require.NotEmpty(t, out, "what is allowed can be opened: the attack is one")
}

// CVE-2022-0811 and others, by --sysctl.
func TestAttack35SysctlFlags(t *testing.T) {
	e := up(t)
	files := []string{"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/shm_rmid_forced", "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory"}
	before := probetest.HostFiles(t, files...)
	for _, flags := range [][]string{
		{"--sysctl", "kernel.shm_rmid_forced=1+kernel.core_pattern=|/evil"},
		{"--sysctl", "kernel.shm_rmid_forced=1\nkernel.core_pattern=|/evil"},
		{"--sysctl", "kernel.shm_rmid_forced\nkernel.core_pattern=|/evil"},
		{"--sysctl", "kernel.core_pattern=|/evil"},
		{"--sysctl", "kernel/core_pattern=|/evil"},
		{"--sysctl", "net/../kernel/core_pattern=|/evil"},
		{"--sysctl", "net.ipv4/../../kernel/core_pattern=|/evil"},
		{"--sysctl", "fs.mqueue/../../kernel/modprobe=/evil"},
		{"--sysctl", "kernel.hostname=evil"},
		{"--sysctl", "vm.overcommit_memory=1"},
		{"--network", "host", "--sysctl", "net.ipv4.ip_forward=1"},
		{"--ipc", "host", "--sysctl", "kernel.shm_rmid_forced=1"},
	} {
		out, text, code := e.run(append(append([]string{"run", "--rm"}, flags...), "busybox", "true")...)
		require.Equal(t, 125, code, "%q: %s%s", flags, out, text)
		require.Contains(t, text, "sysctl", flags)
	}
	require.Equal(t, before, probetest.HostFiles(t, files...))
}

// CVE-2025-47291 and others: the limits are of a group that the container is not in, or labels change them.
func TestAttack38Limits(t *testing.T) {
	e := up(t)
	labels := map[string]string{
		"io.kubernetes.cri-o.UnifiedCgroup": "memory.max=max", "memory": "0", "com.docker.memory": "0", "io.containerd.runc.memory": "0",
		"org.systemd.property.MemoryMax": "18446744073709551615", "run.oci.systemd.subgroup": "evil", "hull.memory": "0", "hull.privileged": "true", "cgroup-parent": "/",
	}
	e.hostile("evil:latest", map[string]any{"Labels": labels}, nil, nil)
	flags := []string{"-m", "48m", "--pids-limit", "33"}
	for name, value := range labels {
		flags = append(flags, "--label", name+"="+value, "--annotation", name+"="+value)
	}
	id := e.background("evil", flags...)
	require.Equal(t, fmt.Sprint(48<<20), e.knob(id, "memory.limit_in_bytes", "memory.max"))
	require.Equal(t, "33", e.knob(id, "pids.max"))
	require.Contains(t, strings.Fields(e.knob(id, "cgroup.procs")), fmt.Sprint(e.inspect(id).State.Pid))
	e.ok("exec", "-d", id, "sleep", "100000")
	require.Len(t, strings.Fields(e.knob(id, "cgroup.procs")), 2, "a process that joins is in the group too")
	_, text, code := e.once("--userns", "evil", "busybox", "true")
	require.Equal(t, 125, code, text)
}

// CVE-2025-15558, CVE-2020-27534: programs are looked for where anybody can put one: an empty search path, the working directory, a relative
// entry, or a directory of an attacker's in front.
func TestAttack39SearchPath(t *testing.T) {
	c := newCanary(t)
	evil := t.TempDir()
	require.NoError(t, os.Chmod(evil, 0o777))
	for _, name := range append(append(tools, binaries...), "docker-init", "runc", "crun", "containerd-shim-hull-v2", "containerd-shim-runc-v2", "xtables-nft-multi", "sysctl", "git", "ssh", "docker-credential-desktop", "docker-credential-pass", "buildkit-runc", "sh") {
		require.NoError(t, os.WriteFile(filepath.Join(evil, name), []byte("#!/bin/sh\necho "+name+" >>"+c.dir+"/ran\n"), 0o755))
	}
	for _, path := range []string{"", ":.", evil} {
		t.Run("PATH="+path, func(t *testing.T) {
			e := private(t, bin, networktest.New(t))
			hull := func(args ...string) string {
				t.Helper()
				cmd := e.cmd(args...)
				cmd.Dir = evil
				env := cmd.Env[:0]
				for _, v := range cmd.Env {
					if !strings.HasPrefix(v, "PATH=") {
						env = append(env, v)
					}
				}
				cmd.Env = append(env, "PATH="+path)
				out, err := os.Create(filepath.Join(t.TempDir(), "out"))
				require.NoError(t, err)
				cmd.Stdout, cmd.Stderr = out, out
				err = e.net.Run(cmd)
				text, _ := os.ReadFile(out.Name())
				require.NoError(t, err, string(text))
				return string(text)
			}
			hull("up")
			hull("load", "-i", imagetest.BusyboxSave(t, "busybox:latest"))
			hull("run", "-d", "--init", "-p", "8080:80", "--name", "box", "busybox", "sleep", "100000")
			hull("exec", "box", "true")
			hull("top", "box")
			hull("cp", "box:/etc", t.TempDir())
			hull("export", "-o", filepath.Join(t.TempDir(), "tar"), "box")
			hull("run", "--rm", "--trace", "busybox", "true")
			hull("rm", "-f", "box")
			hull("down")
			c.untouched("a program of the attacker's has run")
		})
	}
	// hull alone, without the others beside it: it looks for hulld, and not where it stands.
	alone := t.TempDir()
	text, err := os.ReadFile(filepath.Join(bin, "hull"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(alone, "hull"), text, 0o755))
	e := &engine{t: t, bin: alone, net: networktest.New(t), inst: private(t, bin, networktest.New(t)).inst}
	for _, path := range []string{"", ":", ".", ":.:", "./"} {
		cmd := e.cmd("up")
		cmd.Dir, cmd.Env = evil, append(cmd.Env, "PATH="+path)
		text, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(text), "not beside hull and not in PATH")
		c.untouched("hull up with PATH=" + path)
	}
}

// CVE-2021-43816: the label of a container is given to a path of the host's. There is no LSM to ask for one here, so it is refused, and the
// path stays as it is.
func TestAttack40Labels(t *testing.T) {
	e, c := up(t), newCanary(t)
	for _, flags := range [][]string{
		{"-v", c.dir + ":/x:z"},
		{"-v", c.dir + ":/x:Z"},
		{"-v", c.dir + ":/x:ro,Z"},
		{"-v", c.dir + ":/x", "--security-opt", "label=type:evil_t"},
		{"--security-opt", "label=level:s0"},
		{"--security-opt", "label=user:root"},
		{"--security-opt", "apparmor=evil"},
		{"--security-opt", "label:type:evil_t"},
	} {
		_, text, code := e.once(append(flags, "busybox", "true")...)
		require.Equal(t, 125, code, "%q: %s", flags, text)
		require.Regexp(t, "is not offered", text, flags)
		c.untouched(fmt.Sprint(flags))
	}
	out, text, code := e.once("-v", c.dir+":/x", "--security-opt", "label=disable", "--security-opt", "apparmor=unconfined", "busybox", "cat", "/x/file")
	require.Zero(t, code, text)
	require.Equal(t, secret+"\n", out)
	c.untouched("label=disable")
}
