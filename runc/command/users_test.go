package command_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/sys/unix"
)

// The host's ids of the tests' user namespaces.
const (
	firstUID = 150000
	firstGID = 160000
	idCount  = 65536
)

// withUsers gives a container a user namespace.
func withUsers(s *specs.Spec) {
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	s.Linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: firstUID, Size: idCount}}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: firstGID, Size: idCount}}
}

// userBench is a bench whose image belongs to the root of the user namespace.
func userBench(t *testing.T, change func(*specs.Spec)) *bench {
	b := newBench(t, func(s *specs.Spec) {
		withUsers(s)
		if change != nil {
			change(s)
		}
	})
	chownTree(t, b.bundle+"/rootfs", firstUID, firstGID)
	return b
}

func chownTree(t *testing.T, dir string, uid, gid int) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		return os.Lchown(path, uid, gid)
	}))
}

// A container in a user namespace, from outside and from inside: its root is nobody special on the host and may do everything inside.
func TestUserNamespace(t *testing.T) {
	adj := 300
	var null unix.Stat_t
	require.NoError(t, unix.Stat("/dev/null", &null))
	b := userBench(t, func(s *specs.Spec) {
		s.Process.OOMScoreAdj = &adj
		s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_MEMLOCK", Soft: 1 << 20, Hard: 1 << 20}}
		s.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}
		s.Process.Args = []string{"sh", "-c", `touch /made; echo again >>/dev/stdout; grep -E '^(Cap|Uid|Gid)' /proc/self/status; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
			cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced /proc/self/oom_score_adj; hostname; ulimit -Hl
			stat -c '%n %t:%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty; echo x >/dev/null && echo null; stat -c '%n %u %g' / /dev /dev/pts /dev/shm /tmp
			ls /proc/1/fd | wc -l; ls /sys/class/net; ls /sys/fs/cgroup >/dev/null && echo cgroups; cat /proc/kcore; mkdir /tmp/m && mount -t tmpfs x /tmp/m || echo no mount`}
		s.Process.Capabilities.Bounding = append(s.Process.Capabilities.Bounding, "CAP_SYS_RESOURCE")
	})
	id := b.id("users")
	pid, out := b.create(id)
	proc := fmt.Sprintf("/proc/%d/", pid)
	require.Equal(t, []string{"0", strconv.Itoa(firstUID), strconv.Itoa(idCount)}, strings.Fields(read(t, proc+"uid_map")))
	require.Equal(t, []string{"0", strconv.Itoa(firstGID), strconv.Itoa(idCount)}, strings.Fields(read(t, proc+"gid_map")))
	require.Equal(t, "allow\n", read(t, proc+"setgroups"))
	owner := nsInode(t, proc+"ns/user")
	for _, ns := range []string{"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"} {
		require.NotEqual(t, link(t, "/proc/self/ns/"+ns), link(t, proc+"ns/"+ns), ns)
		if ns != "user" {
			require.Equal(t, owner, ownerOf(t, proc+"ns/"+ns), "%s belongs to the host", ns)
		}
	}
	require.Equal(t, fmt.Sprint(firstUID), strings.Fields(statusField(t, pid, "Uid"))[0])
	b.must("start", id)
	require.Zero(t, reap(t, pid), contents(t, out))
	b.must("delete", id)
	require.Equal(t, `again
Uid:	0	0	0	0
Gid:	0	0	0	0
CapInh:	0000000000000000
CapPrm:	00000000a90425fb
CapEff:	00000000a90425fb
CapBnd:	00000000a90425fb
CapAmb:	0000000000000000
0 150000 65536
0 160000 65536
allow
1
1
300
box
1024
/dev/null 1:3
/dev/zero 1:5
/dev/full 1:7
/dev/random 1:8
/dev/urandom 1:9
/dev/tty 5:0
null
/ 0 0
/dev 0 0
/dev/pts 0 0
/dev/shm 0 0
/tmp 0 0
3
lo
cgroups
no mount
`, squeeze(contents(t, out)))
	var st unix.Stat_t
	require.NoError(t, unix.Stat(b.bundle+"/rootfs/made", &st))
	require.Equal(t, []uint32{firstUID, firstGID}, []uint32{st.Uid, st.Gid})
	require.NoError(t, unix.Stat("/dev/null", &st))
	require.Equal(t, null.Uid, st.Uid)
}

// squeeze makes one blank of several, as the kernel pads the maps' columns; tabs stay.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, " ") {
			lines[i] = strings.Join(strings.Fields(line), " ")
		}
	}
	return strings.Join(lines, "\n")
}

// nsInode is the number of a namespace.
func nsInode(t *testing.T, path string) uint64 {
	var st unix.Stat_t
	require.NoError(t, unix.Stat(path, &st))
	return st.Ino
}

// ownerOf is the number of the user namespace that a namespace belongs to (ioctl_ns(2), NS_GET_USERNS).
func ownerOf(t *testing.T, path string) uint64 {
	ns, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(ns)
	owner, err := unix.IoctlRetInt(ns, unix.NS_GET_USERNS)
	require.NoError(t, err)
	defer unix.Close(owner)
	var st unix.Stat_t
	require.NoError(t, unix.Fstat(owner, &st))
	return st.Ino
}

// Each of these is refused with the field's name, before anything is made.
func TestBadUsers(t *testing.T) {
	b := newBench(t, nil)
	good := *b.spec
	one := func(inside, outside, size uint32) specs.LinuxIDMapping {
		return specs.LinuxIDMapping{ContainerID: inside, HostID: outside, Size: size}
	}
	uids := func(list ...specs.LinuxIDMapping) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Linux.UIDMappings = list }
	}
	many := func(n int) (list []specs.LinuxIDMapping) {
		for i := range uint32(n) {
			list = append(list, one(i, 1000000+2*i, 1))
		}
		return list
	}
	node, uid := specs.LinuxDevice{Path: "/dev/net/tun", Type: "c", Major: 10, Minor: 200}, uint32(77)
	for want, change := range map[string]func(*specs.Spec){
		"linux.uidMappings: user namespaces enabled, but no mappings":                      uids(),
		"linux.gidMappings: user namespaces enabled, but no mappings":                      func(s *specs.Spec) { s.Linux.GIDMappings = nil },
		"linux.uidMappings: user namespace mappings specified, but user namespace isn't":   func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[:6] },
		"linux.uidMappings: 20000 mappings, of which the kernel takes 340":                 uids(many(20000)...),
		"linux.uidMappings: 341 mappings":                                                  uids(many(341)...),
		"linux.uidMappings: as text it has 4":                                              uids(many(340)...),
		"linux.uidMappings[1]: its size is zero":                                           uids(one(0, 1, 1), one(5, 5, 0)),
		"linux.uidMappings[0]: 4294967295 ids from 0, for those from 1, go":                uids(one(0, 1, 1<<32-1)),
		"linux.uidMappings[1]: 4294967295 ids from 9, for those from 0, go":                uids(one(0, 1, 1), one(9, 0, 1<<32-1)),
		"linux.uidMappings: the container id 5 is in two mappings":                         uids(one(5, 1000, 1), one(0, 100, 10)),
		"linux.uidMappings: the host id 105 is in two mappings":                            uids(one(0, 100, 10), one(50, 105, 1)),
		"linux.uidMappings: the container id 0 is in no mapping":                           uids(one(1, 100, 10)),
		"process.user.uid: 65536 is not in linux.uidMappings":                              func(s *specs.Spec) { s.Process.User.UID = 65536 },
		"process.user.gid: 65536 is not in linux.gidMappings":                              func(s *specs.Spec) { s.Process.User.GID = 65536 },
		"process.user.additionalGids[1]: 65536 is not in linux.gidMappings":                func(s *specs.Spec) { s.Process.User.AdditionalGids = []uint32{1, 65536} },
		"mounts[2] /dev/pts: option gid=5: 5 is not in linux.gidMappings":                  func(s *specs.Spec) { s.Linux.GIDMappings[0].Size = 5 },
		"linux.devices[0] /dev/net/nosuch: the host's: no such file":                       func(s *specs.Spec) { d := node; d.Path = "/dev/net/nosuch"; s.Linux.Devices = []specs.LinuxDevice{d} },
		"linux.devices[0] /dev/net/tun: the host's is another device, 10:200":              func(s *specs.Spec) { d := node; d.Minor = 1; s.Linux.Devices = []specs.LinuxDevice{d} },
		"linux.devices[0] /dev/net/tun: the host's belongs to 0:0":                         func(s *specs.Spec) { d := node; d.UID = &uid; s.Linux.Devices = []specs.LinuxDevice{d} },
		"/proc/self/ns/net: not a namespace of that kind (it is to be the user namespace)": func(s *specs.Spec) { s.Linux.Namespaces[6].Path = "/proc/self/ns/net" },
		"/proc/self/ns/user: it is the runtime's own (it is to be the user namespace)":     func(s *specs.Spec) { s.Linux.Namespaces[6].Path = "/proc/self/ns/user" },
	} {
		t.Run(want, func(t *testing.T) {
			var s specs.Spec
			copyJSON(t, &good, &s)
			b.spec = &s
			withUsers(b.spec)
			change(b.spec)
			require.Contains(t, b.createFails(b.id("bad")), want)
			b.noneLeft()
		})
	}
	// What is beyond 32 bits is no number of a mapping's field.
	withUsers(b.spec)
	b.id("json")
	text := strings.Replace(read(t, b.bundle+"/config.json"), `"size":65536`, `"size":4294967296`, 1)
	require.NoError(t, os.WriteFile(b.bundle+"/config.json", []byte(text), 0o600))
	require.Contains(t, b.createFails(b.prefix+".json"), "linux.uidMappings.size: a JSON number")
}

func copyJSON(t *testing.T, from, to any) {
	text, err := json.Marshal(from)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, to))
}

// As many mappings as the kernel takes.
func TestManyMappings(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		withUsers(s)
		s.Linux.UIDMappings = nil
		for i := range uint32(340) {
			s.Linux.UIDMappings = append(s.Linux.UIDMappings, specs.LinuxIDMapping{ContainerID: i, HostID: 10 + 2*i, Size: 1})
		}
	})
	out, code := b.inside("many", "wc -l </proc/self/uid_map")
	require.Zero(t, code)
	require.Equal(t, "340\n", out)
}

// Namespaces of the host's and one's own user namespace at once: what is joined belongs to the host, what is new to the user namespace.
func TestUsersBesideJoined(t *testing.T) {
	first := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	fid := first.id("first")
	pid, _ := first.create(fid)
	first.must("start", fid)
	proc := "/proc/" + strconv.Itoa(pid) + "/ns/"
	second := userBench(t, func(s *specs.Spec) {
		s.Linux.Namespaces[2].Path = proc + "net"
		s.Linux.Namespaces[3].Path = proc + "ipc"
		s.Mounts = without(s.Mounts, "/sys", "/sys/fs/cgroup", "/dev/mqueue") // these belong to the network's and the ipc namespace's owner
		s.Process.Args = []string{"sleep", "1000"}
	})
	sid := second.id("second")
	spid, _ := second.create(sid)
	second.must("start", sid)
	theirs := "/proc/" + strconv.Itoa(spid) + "/ns/"
	host, own := nsInode(t, "/proc/self/ns/user"), nsInode(t, theirs+"user")
	for ns, want := range map[string]uint64{"net": host, "ipc": host, "pid": own, "mnt": own, "uts": own, "cgroup": own} {
		require.Equal(t, want, ownerOf(t, theirs+ns), ns)
		require.Equal(t, want == host, link(t, proc+ns) == link(t, theirs+ns), ns)
	}
	require.Equal(t, strconv.Itoa(os.Getpid()), statusField(t, spid, "PPid"), "a child of ours, as if the runtime had made it")

	// A third one joins the second's user, pid and network namespaces, and has its maps.
	third := userBench(t, func(s *specs.Spec) {
		s.Linux.UIDMappings, s.Linux.GIDMappings = nil, nil
		s.Linux.Namespaces[0].Path = theirs + "pid"
		s.Linux.Namespaces[2].Path = theirs + "net"
		s.Linux.Namespaces[6].Path = theirs + "user"
		s.Mounts = without(s.Mounts, "/sys", "/sys/fs/cgroup")
		s.Process.User = specs.User{UID: 7, GID: 8}
	})
	out, code := third.inside("third", `for n in pid net user mnt; do readlink /proc/self/ns/$n; done; cat /proc/self/uid_map; id -u; touch /dev/shm/x && stat -c '%u %g' /dev/shm/x; cat /proc/1/cmdline`)
	require.Zero(t, code)
	lines := strings.Split(squeeze(out), "\n")
	require.Equal(t, []string{link(t, theirs+"pid"), link(t, theirs+"net"), link(t, theirs+"user")}, lines[:3])
	require.NotEqual(t, link(t, theirs+"mnt"), lines[3])
	require.Equal(t, []string{"0 150000 65536", "7", "7 8", "sleep\x001000\x00"}, lines[4:])
	third.spec.Process.User.UID = 65536
	require.Contains(t, third.createFails(third.id("id")), "process.user.uid: 65536 is not in linux.uidMappings")
	third.spec.Process.User.UID = 0
	third.spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: 1, Size: 1}}
	third.spec.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: 1, Size: 1}}
	require.Contains(t, third.createFails(third.id("maps")), "linux.uidMappings: the user namespace to be joined has other mappings")

	second.must("kill", sid, "KILL")
	require.Equal(t, 137, reap(t, spid))
	second.must("delete", sid)
	first.must("delete", "--force", fid)
	reap(t, pid)
}

// without is the list without the mounts of these places.
func without(mounts []specs.Mount, places ...string) (left []specs.Mount) {
	for _, m := range mounts {
		if !slices.Contains(places, m.Destination) {
			left = append(left, m)
		}
	}
	return left
}

// What is the host's stays the host's: a device that is bound, a source that the namespace's root could not reach, the ids of a user.
func TestUsersAndTheHost(t *testing.T) {
	secret := t.TempDir() // closed to all but the host's root, as are its parents
	require.NoError(t, os.Mkdir(secret+"/shared", 0o755))
	require.NoError(t, os.WriteFile(secret+"/shared/file", []byte("host\n"), 0o644))
	require.NoError(t, os.Chmod(secret, 0o700))
	b := userBench(t, func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/net/tun", Type: "c", Major: 10, Minor: 200}}
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/vol/host", Type: "bind", Source: secret + "/shared", Options: []string{"rbind", "nosuid"}})
		s.Process.User = specs.User{UID: 1000, GID: 1000, AdditionalGids: []uint32{44}}
	})
	var before, after unix.Stat_t
	require.NoError(t, unix.Stat("/dev/net/tun", &before))
	out, code := b.inside("host", `id; echo "$HOME"; echo again >>/dev/stdout; cat /vol/host/file; touch /vol/host/x || echo closed; stat -c '%n %t:%T %u' /dev/net/tun /vol/host
		echo k >/dev/shm/mine && stat -c %u /dev/shm/mine`)
	require.Zero(t, code)
	require.Equal(t, "uid=1000(user) gid=1000 groups=44\n/home\nagain\nhost\nclosed\n/dev/net/tun a:c8 65534\n/vol/host 0:0 65534\n1000\n", out)
	require.NoError(t, unix.Stat("/dev/net/tun", &after))
	require.Equal(t, [2]uint32{before.Uid, before.Mode}, [2]uint32{after.Uid, after.Mode})
}

// exec, its terminal, kill and delete in a user namespace; seen from outside, and against what the first process is.
func TestExecInUserNamespace(t *testing.T) {
	b := userBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	id := b.id("exec")
	first, _ := b.create(id)
	b.must("start", id)
	pid, _, err := b.detached(id, b.process(nil, "sleep", "1000"))
	require.NoError(t, err)
	ours, theirs := fmt.Sprintf("/proc/%d/", pid), fmt.Sprintf("/proc/%d/", first)
	for _, ns := range []string{"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"} {
		require.Equal(t, link(t, theirs+"ns/"+ns), link(t, ours+"ns/"+ns), ns)
		require.NotEqual(t, link(t, "/proc/self/ns/"+ns), link(t, ours+"ns/"+ns), ns)
	}
	require.Equal(t, read(t, theirs+"cgroup"), read(t, ours+"cgroup"))
	for _, field := range []string{"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "SigBlk", "SigIgn", "Umask"} {
		require.Equal(t, statusField(t, first, field), statusField(t, pid, field), field)
	}
	open, err := os.ReadDir(ours + "fd")
	require.NoError(t, err)
	require.Len(t, open, 3)
	out, errs, code := b.exits("-u", "1000:5", "-g", "7", id, "sh", "-c", "id -u; id -G; echo $HOME; touch /dev/shm/e; stat -c %u /dev/shm/e; echo again >>/dev/stdout; exit 9")
	require.Equal(t, 9, code, errs)
	require.Equal(t, "1000\n5 7\n/home\n1000\nagain\n", out)
	for want, flags := range map[string][]string{
		"process.user.uid: 65536 is not in linux.uidMappings":                 {"-u", "65536"},
		"process.user.gid: 65536 is not in linux.gidMappings":                 {"-u", "0:65536"},
		"process.user.additionalGids[0]: 1000000 is not in linux.gidMappings": {"-g", "1000000"},
	} {
		_, errs, code = b.exits(append(flags, id, "true")...)
		require.Equal(t, 255, code)
		require.Contains(t, errs, want)
	}

	socket := t.TempDir() + "/s"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)
	defer l.Close()
	tty, _, err := b.detached(id, b.process(func(p *specs.Process) { p.Terminal, p.User = true, specs.User{UID: 1000, GID: 1000} }, "sh", "-c", "tty; stat -c '%u %g' /dev/pts/0; read line; exit 3"), "--console-socket", socket)
	require.NoError(t, err)
	master := receiveMaster(t, l)
	require.Equal(t, []string{"/dev/pts/0", "1000 5"}, readLines(t, master, 2))
	_, err = master.WriteString("\n")
	require.NoError(t, err)
	require.Equal(t, 3, reap(t, tty))
	master.Close()

	b.must("pause", id)
	b.must("resume", id)
	b.must("kill", "--all", id, "KILL")
	require.Equal(t, 137, reap(t, pid)) // before the first: as long as one of its namespace is not reaped, that one has not ended
	require.Equal(t, 137, reap(t, first))
	b.must("delete", id)
}

func readLines(t *testing.T, from *os.File, n int) (lines []string) {
	r := bufio.NewReader(from)
	for range n {
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	return lines
}

// The first process's terminal is its user's, and from the container's devpts.
func TestTerminalInUserNamespace(t *testing.T) {
	b := userBench(t, func(s *specs.Spec) {
		s.Process.Terminal = true
		s.Process.User = specs.User{UID: 1000, GID: 1000}
		s.Process.Args = []string{"sh", "-c", "tty; stat -c '%t:%T %u %g' /dev/console; read line; exit 4"}
	})
	socket := t.TempDir() + "/s"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)
	defer l.Close()
	id := b.id("tty")
	pid, _ := b.create(id, "--console-socket", socket)
	master := receiveMaster(t, l)
	defer master.Close()
	b.must("start", id)
	require.Equal(t, []string{"/dev/pts/0", "88:0 1000 5"}, readLines(t, master, 2))
	_, err = master.WriteString("\n")
	require.NoError(t, err)
	require.Equal(t, 4, reap(t, pid))
	b.must("delete", id)
}

// A trace has the maps as a step of the runtime's own, inside of the clone; a run without a user namespace has none (TestTrace).
func TestTraceOfUserNamespace(t *testing.T) {
	b := userBench(t, nil)
	id := b.id("trace")
	var pid int
	spans := b.spansOf(func() { pid, _ = b.create(id) })
	at := map[string]*tracepb.Span{}
	for _, s := range spans {
		at[s.Name] = s
	}
	maps, clone := at["runc.ns.usermap"], at["runc.ns.create"]
	require.NotNil(t, maps)
	require.Equal(t, clone.SpanId, maps.ParentSpanId)
	require.NotEqual(t, int64(pid), attr(maps, stages.AttrPID).GetIntValue(), "the runtime's own, not the first process's")
	require.Less(t, maps.EndTimeUnixNano, at["runc.cgroup.join"].StartTimeUnixNano)
	require.Contains(t, at, "runc.init.wait_start")
	b.must("delete", id)
	reap(t, pid)
}

// A container that can write in its cgroup v2 owns it, and nothing of v1; one that cannot owns none.
func TestDelegatedCgroup(t *testing.T) {
	for name, readonly := range map[string]bool{"rw": false, "ro": true} {
		b := userBench(t, func(s *specs.Spec) {
			s.Process.User = specs.User{UID: 3, GID: 3}
			if !readonly {
				s.Mounts[4].Options = []string{"nosuid", "noexec", "nodev"}
			}
			s.Process.Args = []string{"sh", "-c", "cd /sys/fs/cgroup/unified && mkdir below && echo 0 >below/cgroup.procs && cat /proc/self/cgroup | grep 0::"}
		})
		id := b.id("own" + name)
		pid, out := b.create(id)
		_, where, ok := strings.Cut(read(t, fmt.Sprintf("/proc/%d/cgroup", pid)), "\n0::")
		require.True(t, ok)
		dir := "/sys/fs/cgroup/unified" + strings.TrimSpace(where)
		owner := func(file string) uint32 {
			var st unix.Stat_t
			require.NoError(t, unix.Stat(file, &st))
			return st.Uid
		}
		want := uint32(firstUID + 3)
		if readonly {
			want = 0
		}
		for _, file := range []string{dir, dir + "/cgroup.procs", dir + "/cgroup.subtree_control", dir + "/cgroup.threads"} {
			require.Equal(t, want, owner(file), file)
		}
		require.Zero(t, owner(dir+"/cgroup.freeze"))
		require.Zero(t, owner("/sys/fs/cgroup/pids/"+id))
		b.must("start", id)
		code := reap(t, pid)
		if readonly {
			require.NotZero(t, code)
		} else {
			require.Equal(t, "0::/below\n", contents(t, out))
		}
		b.must("delete", id)
	}
}
