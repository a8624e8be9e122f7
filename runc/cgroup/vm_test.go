package cgroup_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"hull/runc/vmtest"
	"hull/stages/probetest"
)

// The package's own tests, on a kernel where every controller is on cgroup v2.
func TestOnPureV2(t *testing.T) {
	probetest.Need(t, "qemu", "vm")
	out, code := vmtest.Run(t, map[string]string{"/vm/cgroup.test": vmtest.TestBinary(t, "runc/cgroup")}, `
cat /sys/fs/cgroup/cgroup.controllers
/vm/cgroup.test -test.v -test.skip 'TestOnPureV2|TestAContainerOnPureV2'
code=$?
find /sys/fs/cgroup -mindepth 1 -type d | sed 's/^/left: /'
exit $code
`)
	t.Log(out)
	require.Zero(t, code)
	require.NotContains(t, out, "left: ")
	require.Contains(t, strings.SplitN(out, "\n", 2)[0], "cpuset cpu io memory")
	require.Contains(t, out, "--- PASS: TestTheKernelHoldsTheLimits")
	require.Contains(t, out, "--- PASS: TestCpusetIsInheritedOrTaken")
	require.Contains(t, out, "--- PASS: TestOnlyTheListedDevicesOpen")
	require.Contains(t, out, "--- PASS: TestKillEndsAllThatWereForkedEvenWhileFrozen")
}

// One container by hull-runc, looked at from outside.
func TestAContainerOnPureV2(t *testing.T) {
	probetest.Need(t, "qemu", "vm")
	limit, quota, period, tasks := int64(32<<20), int64(50000), uint64(100000), int64(20)
	spec := &specs.Spec{
		Version:  "1.0.2",
		Hostname: "box",
		Root:     &specs.Root{Path: "rootfs"},
		Process:  &specs.Process{Args: []string{"/bin/busybox", "sleep", "1000"}, Cwd: "/", Env: []string{"PATH=/bin"}},
		Mounts:   []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
		Linux: &specs.Linux{
			CgroupsPath: "/hull/box",
			Resources: &specs.LinuxResources{
				Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}},
				Memory:  &specs.LinuxMemory{Limit: &limit},
				CPU:     &specs.LinuxCPU{Quota: &quota, Period: &period},
				Pids:    &specs.LinuxPids{Limit: &tasks},
			},
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace},
				{Type: specs.MountNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
				{Type: specs.NetworkNamespace},
				{Type: specs.CgroupNamespace},
			},
		},
	}
	text, err := json.Marshal(spec)
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(config, text, 0o600))
	out, code := vmtest.Run(t, map[string]string{"/vm/hull-runc": probetest.Build(t, "hull-runc"), "/vm/bundle/config.json": config}, `
set -e
mkdir -p /vm/bundle/rootfs/bin /vm/bundle/rootfs/proc /vm/bundle/rootfs/dev /vm/bundle/rootfs/sys
cp /bin/busybox /vm/bundle/rootfs/bin/
r="/vm/hull-runc --root /run/states"
$r create --bundle /vm/bundle --pid-file /run/pid box
pid=$(cat /run/pid)
sed 's/^/created: /' /proc/$pid/cgroup
$r start box
for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(cut -d' ' -f1 /proc/$pid/cmdline | tr '\0' ' ' | cut -c1-18)" = "/bin/busybox sleep" ] && break; sleep 1; done
tr '\0' ' ' </proc/$pid/cmdline | sed 's/^/runs: /'; echo
sed 's/^/running: /' /proc/$pid/cgroup
for f in memory.max cpu.max pids.max pids.current; do echo "$f: $(cat /sys/fs/cgroup/hull/box/$f)"; done
echo "cgroup namespace: $([ "$(readlink /proc/$pid/ns/cgroup)" = "$(readlink /proc/self/ns/cgroup)" ] && echo same || echo own)"
$r kill box KILL
for i in 1 2 3 4 5 6 7 8 9 10; do grep -q populated.0 /sys/fs/cgroup/hull/box/cgroup.events && break; sleep 1; done
$r delete box
rmdir /sys/fs/cgroup/hull
find /sys/fs/cgroup -mindepth 1 -type d | sed 's/^/left: /'
grep -c hull /proc/mounts || true
`)
	t.Log(out)
	require.Zero(t, code)
	for _, want := range []string{
		"created: 0::/hull/box", "runs: /bin/busybox sleep 1000 ", "running: 0::/hull/box",
		"memory.max: 33554432", "cpu.max: 50000 100000", "pids.max: 20", "pids.current: 1", "cgroup namespace: own",
	} {
		require.Contains(t, out, want+"\n")
	}
	require.NotContains(t, out, "left: ")
}
