package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
)

// CVE-2023-25809: the host's cgroups can be written to below /sys/fs/cgroup. A read-only mount of them is one with and without a cgroup
// namespace; what may be written to is the container's own group and nothing else.
func TestAttack21CgroupMount(t *testing.T) {
	for name, c := range map[string]struct {
		own      bool   // a cgroup namespace of its own
		option   string // of the mount
		writable bool
	}{
		"own-ro": {true, "ro", false}, "host-ro": {false, "ro", false}, "own-rw": {true, "rw", true}, "host-rw": {false, "rw", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(s *specs.Spec) {
				if !c.own {
					s.Linux.Namespaces = s.Linux.Namespaces[:len(s.Linux.Namespaces)-1]
				}
				for i, m := range s.Mounts {
					if m.Type == "cgroup" {
						s.Mounts[i].Options = []string{"nosuid", "noexec", "nodev", c.option}
					}
				}
			})
			before, err := filepath.Glob("/sys/fs/cgroup/*/attack21")
			require.NoError(t, err)
			require.Empty(t, before)
			out, _ := b.inside("cgroup", `cd /sys/fs/cgroup; for d in *; do
				[ -L $d ] && continue
				[ -e $d/release_agent ] && echo root $d
				echo 1 >$d/notify_on_release && echo wrote $d && echo 0 >$d/notify_on_release
				mkdir $d/attack21 && echo made $d && rmdir $d/attack21
				mkdir $d/../attack21 && echo above $d
			done 2>/dev/null; mkdir attack21 2>/dev/null && echo top; true`)
			require.NotContains(t, out, "root ", "a hierarchy's own root is in sight")
			require.NotContains(t, out, "top\n")
			if c.writable {
				require.Contains(t, out, "made memory\n")
				require.NotContains(t, strings.ReplaceAll(out, "above", ""), "above")
			} else {
				require.Empty(t, out)
			}
			after, err := filepath.Glob("/sys/fs/cgroup/*/attack21")
			require.NoError(t, err)
			require.Empty(t, after, "made on the host")
		})
	}
}

// CVE-2022-0492: whoever can write a v1 hierarchy's release_agent has the host's kernel execute a program of theirs as root. No seccomp here:
// what holds is that there is no way to a hierarchy's root, not even for root of a user namespace that the container makes.
func TestAttack22ReleaseAgent(t *testing.T) {
	before := probetest.HostFiles(t, "/sys/fs/cgroup/*/release_agent", "/sys/fs/cgroup/*/notify_on_release")
	b := newBench(t, nil)
	out, _ := b.inside("agent", `mkdir /tmp/c
		for type in memory rdma devices name=systemd; do
			mount -t cgroup -o $type cgroup /tmp/c 2>/dev/null && echo mounted $type
			mount -t cgroup -o $type,release_agent=/tmp/evil cgroup /tmp/c 2>/dev/null && echo mounted with agent $type
			for how in -Urm -UrmC; do
				busybox unshare $how sh -c "mount -t cgroup -o $type cgroup /tmp/c && echo /tmp/evil >/tmp/c/release_agent && echo wrote" 2>/dev/null
				busybox unshare $how sh -c "mount -t cgroup -o $type,release_agent=/tmp/evil cgroup /tmp/c && echo mounted with agent" 2>/dev/null
			done
		done
		busybox find /sys/fs/cgroup /tmp -name release_agent 2>/dev/null`)
	require.Empty(t, out)
	require.Equal(t, before, probetest.HostFiles(t, "/sys/fs/cgroup/*/release_agent", "/sys/fs/cgroup/*/notify_on_release"))
}

// GHSA-g54h-m393-cpwq: a list of devices that does not begin with "nothing" was read as a list of what is forbidden. A container with
// CAP_MKNOD then makes the node of the host's disk, and opens it.
func TestAttack33Devices(t *testing.T) {
	numbers := []string{"c 1 1", "c 1 2", "c 1 4", "c 1 11", "c 10 237", "b 7 0"} // mem, kmem, port, kmsg, loop-control, loop0
	for _, line := range strings.Split(read(t, "/proc/partitions"), "\n") {
		if f := strings.Fields(line); len(f) == 4 && f[0] != "major" {
			numbers = append(numbers, "b "+f[0]+" "+f[1])
		}
	}
	null := int64(1)
	full := int64(7)
	for name, r := range map[string]*specs.LinuxResources{
		"none":      nil,
		"empty":     {},
		"forbidden": {Devices: []specs.LinuxDeviceCgroup{{Allow: false, Type: "c", Major: &null, Minor: &full, Access: "rwm"}}},
		"allowed":   {Devices: []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Major: &null, Minor: &full, Access: "rwm"}}},
		"docker's":  {Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}},
		"all":       {Devices: []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(s *specs.Spec) { s.Linux.Resources = r })
			script := "cd /dev; for d in null zero full random urandom; do true <>/dev/$d || echo no $d; done\n"
			for i, n := range numbers {
				script += fmt.Sprintf("busybox mknod n%d %s && for how in '<' '>>' '<>'; do eval \"true ${how}n%d\" 2>/dev/null && echo opened %s; done\n", i, n, i, n)
			}
			out, _ := b.inside("devices", script)
			if name == "all" {
				require.Contains(t, out, "opened", "what is allowed can be opened: the attack is one")
				return
			}
			require.Empty(t, out)
		})
	}
}

// CVE-2021-43784: a message to the process that makes the namespaces had a length of 16 bits. A list that did not fit lost its namespaces.
// Here is no such message, and what is too large is refused before anything is made.
func TestAttack34Overlong(t *testing.T) {
	maps := func(n int) (list []specs.LinuxIDMapping) {
		for i := range n {
			list = append(list, specs.LinuxIDMapping{ContainerID: uint32(i), HostID: uint32(100000 + i), Size: 1})
		}
		return list
	}
	for name, change := range map[string]func(*specs.Spec){
		"20,000 id mappings": func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
			s.Linux.UIDMappings, s.Linux.GIDMappings = maps(20000), maps(20000)
		},
		"70 KiB of path": func(s *specs.Spec) {
			s.Linux.Namespaces[2].Path = "/proc/self/" + strings.Repeat("./", 35<<10) + "ns/net"
		},
		"70 KiB of paths": func(s *specs.Spec) {
			s.Linux.Namespaces[3].Path = "/" + strings.Repeat("x/../", 14<<10) + "proc/self/ns/ipc"
		},
		"a path to 65,536": func(s *specs.Spec) { s.Linux.Namespaces[4].Path = "/" + strings.Repeat("x", 65535) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, change)
			require.Less(t, len(b.createFails(b.id("long"))), 200<<10)
		})
	}
}

// CVE-2022-0811 and others: a kernel parameter of the host's is set by one that is the container's, or by a namespace that is called the
// container's and is the host's.
func TestAttack35Sysctls(t *testing.T) {
	watched := []string{
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname",
		"/proc/sys/kernel/shm_rmid_forced", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/vm/overcommit_memory",
	}
	before := probetest.HostFiles(t, watched...)
	b := newBench(t, nil)
	for name, value := range map[string]string{
		"kernel.core_pattern":                      "|/tmp/evil",
		"kernel/core_pattern":                      "|/tmp/evil",
		"/kernel/core_pattern":                     "|/tmp/evil",
		"kernel.shm_rmid_forced":                   "1+kernel.core_pattern=|/tmp/evil",
		"kernel.shm_rmid_forced=1+kernel.hostname": "evil",
		"kernel.shm_rmid_forced\nkernel.hostname":  "evil",
		"net.ipv4.ip_forward":                      "1\nkernel.core_pattern=|/tmp/evil",
		"net/../kernel/core_pattern":               "|/tmp/evil",
		"net.ipv4/../../kernel/core_pattern":       "|/tmp/evil",
		"net/ipv4/../../kernel/core_pattern":       "|/tmp/evil",
		"fs.mqueue.../../kernel/core_pattern":      "|/tmp/evil",
		"fs.mqueue/../../kernel/core_pattern":      "|/tmp/evil",
		"net":                                      "1",
		"net.":                                     "1",
		"kernel.hostname":                          "evil",
		"vm.overcommit_memory":                     "1",
		"kernel.modprobe":                          "/tmp/evil",
	} {
		b.spec.Linux.Sysctl = map[string]string{name: value}
		require.Contains(t, b.createFails(b.id("sysctl")), "sysctl", name)
	}
	for kind, change := range map[specs.LinuxNamespaceType]func(*specs.Spec){
		specs.NetworkNamespace: func(s *specs.Spec) { s.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"} },
		specs.IPCNamespace:     func(s *specs.Spec) { s.Linux.Sysctl = map[string]string{"kernel.shm_rmid_forced": "1"} },
		specs.UTSNamespace:     func(s *specs.Spec) { s.Hostname = "evil" },
	} {
		for how, path := range map[string]string{"own": "/proc/self/ns/", "of a process": fmt.Sprintf("/proc/%d/ns/", os.Getpid()), "none": ""} {
			t.Run(string(kind)+" "+how, func(t *testing.T) {
				file := map[specs.LinuxNamespaceType]string{specs.NetworkNamespace: "net", specs.IPCNamespace: "ipc", specs.UTSNamespace: "uts"}[kind]
				b := newBench(t, func(s *specs.Spec) {
					s.Hostname = ""
					change(s)
					var list []specs.LinuxNamespace
					for _, n := range s.Linux.Namespaces {
						if n.Type == kind && path != "" {
							n.Path = path + file
						}
						if n.Type != kind || path != "" {
							list = append(list, n)
						}
					}
					s.Linux.Namespaces = list
				})
				require.Contains(t, b.createFails(b.id("host")), "this would change the host")
			})
		}
	}
	require.Equal(t, before, probetest.HostFiles(t, watched...))
}

// CVE-2024-40635 and others: a number that is no user becomes root. To setresuid(2) 4294967295 is "leave it as it is".
func TestAttack25UnchangedUser(t *testing.T) {
	for name, user := range map[string]specs.User{"uid": {UID: 1<<32 - 1}, "gid": {UID: 1000, GID: 1<<32 - 1}, "groups": {UID: 1000, GID: 1000, AdditionalGids: []uint32{1<<32 - 1}}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(s *specs.Spec) { s.Process.User = user })
			b.createFails(b.id("user"))
		})
	}
	b, id, _ := running(t, nil)
	_, errs, code := b.exits("--user", "4294967295", id, "id")
	require.Equal(t, 255, code)
	require.Contains(t, errs, "4294967295")
}
