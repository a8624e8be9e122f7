package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The ordinary user of the tests. It has no account on the machine, and 65536 ids of its own in a mount namespace only.
const (
	ordinaryID  = 4242
	ordinaryIDs = 180000
)

// asUser runs the runtime as the ordinary user: with the files by which newuidmap(1) knows it, and in the cgroup v2 $LEAF if that is set.
const asUser = `#!/bin/sh
exec unshare --mount --propagation private sh -c '
for file in passwd subuid subgid; do mount --bind DIR/etc/$file /etc/$file || exit 99; done
[ -z "$LEAF" ] || echo $$ >"$LEAF/cgroup.procs" || exit 99
exec setpriv --reuid ID --regid ID --clear-groups --inh-caps=-all DIR/bin/hull-runc "$@"' sh "$@"
`

// rootlessBench is a bench that runs the runtime as an ordinary user, with a bundle of its own.
func rootlessBench(t *testing.T, change func(*specs.Spec)) *bench {
	probetest.Need(t, "root", "peers", "uidmap")
	b := newBench(t, func(s *specs.Spec) {
		withUsers(s)
		s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: ordinaryID, Size: 1}, {ContainerID: 1, HostID: ordinaryIDs, Size: 65536}}
		s.Linux.GIDMappings = s.Linux.UIDMappings
		if change != nil {
			change(s)
		}
	})
	dir, err := os.MkdirTemp("", "hull-rootless")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	for _, d := range []string{"etc", "bin", "state"} {
		require.NoError(t, os.Mkdir(dir+"/"+d, 0o755))
	}
	ids := fmt.Sprintf("ordinary:%d:65536\n", ordinaryIDs)
	for file, text := range map[string]string{
		"etc/passwd": "root:x:0:0::/:/bin/sh\n" + fmt.Sprintf("ordinary:x:%d:%[1]d::/:/bin/sh\n", ordinaryID), "etc/subuid": ids, "etc/subgid": ids,
		"bin/hull-runc": read(t, hullRunc(t)), "hull-runc": strings.NewReplacer("DIR", dir, "ID", strconv.Itoa(ordinaryID)).Replace(asUser),
	} {
		require.NoError(t, os.WriteFile(dir+"/"+file, []byte(text), 0o755))
	}
	require.NoError(t, os.Rename(b.bundle, dir+"/bundle"))
	chownTree(t, dir+"/bundle", ordinaryID, ordinaryID)
	chownTree(t, dir+"/state", ordinaryID, ordinaryID)
	b.bin, b.bundle, b.root, b.user = dir+"/hull-runc", dir+"/bundle", dir+"/state", ordinaryID
	return b
}

// ownID is an id whose cgroup is the runtime's to place.
func (b *bench) ownID(name string) string {
	id := b.id(name)
	b.spec.Linux.CgroupsPath = ""
	b.writeSpec()
	return id
}

// A whole life as an ordinary user: nothing of it is root's, as seen from outside.
func TestRootless(t *testing.T) {
	b := rootlessBench(t, func(s *specs.Spec) {
		withTime(s)
		s.Process.Args = []string{"sleep", "1000"}
	})
	id := b.ownID("life")
	log := b.dir() + "/log"
	pid, _ := b.create(id)
	proc := fmt.Sprintf("/proc/%d/", pid)
	require.Equal(t, strings.Fields(fmt.Sprintf("0 %d 1 1 %d 65536", ordinaryID, ordinaryIDs)), strings.Fields(read(t, proc+"uid_map")))
	require.Equal(t, strings.Fields(read(t, proc+"uid_map")), strings.Fields(read(t, proc+"gid_map")))
	require.Equal(t, strings.Fields("monotonic 259200 0 boottime 864000 5"), strings.Fields(read(t, proc+"timens_offsets")))
	require.Equal(t, "created", string(b.status(id).Status))
	b.must("start", id)
	require.Equal(t, strconv.Itoa(ordinaryID), strings.Fields(statusField(t, pid, "Uid"))[0])
	require.Equal(t, "00000000a80425fb", statusField(t, pid, "CapEff"), "in its own user namespace")
	own := nsInode(t, proc+"ns/user")
	for _, ns := range []string{"mnt", "pid", "net", "ipc", "uts", "cgroup", "time"} {
		require.Equal(t, own, ownerOf(t, proc+"ns/"+ns), ns)
	}

	out, errs, code := b.exits(id, "sh", "-c", `id -u; touch /made; echo x >/dev/null && echo null; hostname; mount -t tmpfs x /tmp 2>/dev/null || echo no mount; ls /sys/class/net; cat /proc/1/cmdline; exit 6`)
	require.Equal(t, 6, code, errs)
	require.Equal(t, "0\nnull\nbox\nno mount\nlo\nsleep\x001000\x00", out)
	out, errs, code = b.exits("-u", "1000:1000", "-g", "5", id, "sh", "-c", `id -u; id -G; touch /dev/shm/x; stat -c '%u %g' /dev/shm/x`)
	require.Zero(t, code, errs)
	require.Equal(t, "1000\n1000 5\n1000 1000\n", out)
	var st unix.Stat_t
	require.NoError(t, unix.Stat(b.bundle+"/rootfs/made", &st))
	require.Equal(t, uint32(ordinaryID), st.Uid)
	added, _, err := b.detached(id, b.process(nil, "sleep", "1000"))
	require.NoError(t, err)
	require.Equal(t, link(t, proc+"ns/user"), link(t, fmt.Sprintf("/proc/%d/ns/user", added)))

	// There is no group that this user could make: what needs one says so.
	require.Equal(t, read(t, "/proc/self/cgroup"), read(t, proc+"cgroup"))
	require.Contains(t, b.fails("update", "--pids-limit", "5", id), "it has no cgroup")
	require.Contains(t, b.fails("ps", id), "it has no cgroup")
	require.Contains(t, b.fails("pause", id), "the container has no cgroup")
	require.Contains(t, b.fails("kill", "--all", id, "TERM"), "it has no cgroup")
	require.Contains(t, b.fails("delete", id), "is not stopped: running")
	require.Regexp(t, `(?m)^`+id+` +`+strconv.Itoa(pid)+` +running .* ordinary$`, b.must("list"))
	b.must("kill", id, "KILL")
	require.Equal(t, 137, reap(t, added))
	require.Equal(t, 137, reap(t, pid))
	b.must("--log", log, "delete", id)

	id = b.ownID("forced")
	pid, _ = b.create(id)
	b.must("delete", "--force", id)
	require.Equal(t, 137, reap(t, pid))
}

// A container that joins another one's namespaces, as those of a pod do: its rights over them come from the user namespace.
func TestRootlessJoin(t *testing.T) {
	b := rootlessBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	first := b.ownID("first")
	pid, _ := b.create(first)
	b.must("start", first)
	theirs := fmt.Sprintf("/proc/%d/ns/", pid)
	b.spec.Linux.Namespaces[0].Path = theirs + "pid"
	b.spec.Linux.Namespaces[2].Path = theirs + "net"
	b.spec.Linux.Namespaces[3].Path = theirs + "ipc"
	b.spec.Linux.Namespaces[6].Path = theirs + "user"
	b.spec.Process.Args = []string{"sh", "-c", "for n in pid net ipc user mnt; do readlink /proc/self/ns/$n; done; id -u; cat /proc/1/cmdline"}
	second := b.ownID("second")
	spid, stdout := b.create(second)
	b.must("start", second)
	require.Zero(t, reap(t, spid))
	b.must("delete", second)
	lines := strings.Split(contents(t, stdout), "\n")
	for i, ns := range []string{"pid", "net", "ipc", "user"} {
		require.Equal(t, link(t, theirs+ns), lines[i])
	}
	require.NotEqual(t, link(t, theirs+"mnt"), lines[4])
	require.Equal(t, []string{"0", "sleep\x001000\x00"}, lines[5:])
	b.must("kill", first, "KILL")
	require.Equal(t, 137, reap(t, pid))
	b.must("delete", first)
}

// A user without ids beside its own maps that one, and gives up groups for it.
func TestRootlessOneID(t *testing.T) {
	b := rootlessBench(t, func(s *specs.Spec) {
		s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: ordinaryID, Size: 1}}
		s.Linux.GIDMappings = s.Linux.UIDMappings
		s.Mounts[2].Options = []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
	})
	require.NoError(t, os.Truncate(filepath.Dir(b.bin)+"/etc/subuid", 0))
	b.spec.Process.Args = []string{"sh", "-c", "id -u; id -G; cat /proc/self/uid_map /proc/self/setgroups; sleep 1000"}
	id := b.ownID("one")
	pid, stdout := b.create(id)
	require.Equal(t, "deny\n", read(t, fmt.Sprintf("/proc/%d/setgroups", pid)))
	b.must("start", id)
	out, errs, code := b.exits(id, "id", "-u")
	require.Zero(t, code, errs)
	require.Equal(t, "0\n", out)
	_, errs, code = b.exits("-g", "0", id, "true")
	require.Equal(t, 255, code)
	require.Contains(t, errs, "process.user.additionalGids: the user namespace denies setgroups(2)")
	b.must("kill", id, "KILL")
	reap(t, pid)
	b.must("delete", id)
	require.Equal(t, "0\n0\n0 4242 1\ndeny\n", squeeze(contents(t, stdout)))
}

// What an ordinary user cannot have is refused by name, and nothing is left.
func TestRootlessRefused(t *testing.T) {
	b := rootlessBench(t, nil)
	good := *b.spec
	limit := int64(10)
	for want, change := range map[string]func(*specs.Spec){
		"linux.namespaces: rootless containers require user namespaces": func(s *specs.Spec) {
			s.Linux.Namespaces, s.Linux.UIDMappings, s.Linux.GIDMappings = s.Linux.Namespaces[:6], nil, nil
		},
		"runc.ns.usermap: /usr/bin/newuidmap: exit status 1: newuidmap: uid range [0-1) -> [0-1) not allowed": func(s *specs.Spec) {
			s.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: 0, Size: 1}}
		},
		"newgidmap: gid range [0-65536) -> [180001-245537) not allowed": func(s *specs.Spec) {
			s.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: ordinaryIDs + 1, Size: 65536}}
		},
		"pids: pids.max": func(s *specs.Spec) {
			s.Linux.Resources = &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}
		},
		"devices: devices.deny": func(s *specs.Spec) {
			s.Linux.Resources = &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}}}
		},
		"runc.cgroup.create: ": func(s *specs.Spec) { s.Linux.CgroupsPath = "/" + b.prefix + ".asked" },
	} {
		t.Run(want, func(t *testing.T) {
			var s specs.Spec
			copyJSON(t, &good, &s)
			b.spec = &s
			id := b.ownID("refused")
			change(b.spec)
			b.writeSpec()
			require.Contains(t, b.createFails(id), want)
			b.noneLeft()
		})
	}
}

// In a cgroup v2 that is the user's, the container has a group of its own, and all that goes with one.
func TestRootlessDelegated(t *testing.T) {
	b := rootlessBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	dir := "/sys/fs/cgroup/unified/" + b.prefix + ".user"
	require.NoError(t, os.MkdirAll(dir+"/leaf", 0o755))
	t.Cleanup(func() {
		os.Remove(dir + "/leaf")
		require.NoError(t, os.Remove(dir))
	})
	for _, file := range []string{"", "/cgroup.procs", "/cgroup.subtree_control", "/leaf", "/leaf/cgroup.procs"} {
		require.NoError(t, os.Chown(dir+file, ordinaryID, ordinaryID))
	}
	b.env = []string{"LEAF=" + dir + "/leaf"}
	id := b.ownID("delegated")
	pid, _ := b.create(id)
	require.Contains(t, read(t, fmt.Sprintf("/proc/%d/cgroup", pid)), "0::/"+b.prefix+".user/"+id+"\n")
	b.must("start", id)
	added, _, err := b.detached(id, b.process(nil, "sleep", "1000"))
	require.NoError(t, err)
	require.Contains(t, read(t, fmt.Sprintf("/proc/%d/cgroup", added)), "0::/"+b.prefix+".user/"+id+"\n")
	require.Equal(t, fmt.Sprintf("[%d,%d]\n", min(pid, added), max(pid, added)), b.must("ps", "--format", "json", id))
	b.must("pause", id)
	require.Equal(t, "paused", string(b.status(id).Status))
	b.must("resume", id)
	b.must("kill", "--all", id, "KILL")
	require.Equal(t, 137, reap(t, added))
	require.Equal(t, 137, reap(t, pid))
	b.must("delete", id)
	require.NoDirExists(t, dir+"/"+id)
}

// The directory of states of a user who has logged in.
func TestRootlessStates(t *testing.T) {
	b := rootlessBench(t, nil)
	id := b.ownID("states")
	run := filepath.Dir(b.bin) + "/run"
	require.NoError(t, os.Mkdir(run, 0o700))
	require.NoError(t, os.Chown(run, ordinaryID, ordinaryID))
	b.env = []string{"XDG_RUNTIME_DIR=" + run}
	_, errs, err := b.exec(exec.Command(b.bin, "create", "--bundle", b.bundle, "--pid-file", run+"/pid", id))
	require.NoError(t, err, errs)
	require.DirExists(t, run+"/hull-runc/"+id)
	pid, err := strconv.Atoi(read(t, run+"/pid"))
	require.NoError(t, err)
	_, errs, err = b.exec(exec.Command(b.bin, "delete", id))
	require.NoError(t, err, errs)
	require.NoDirExists(t, run+"/hull-runc/"+id)
	reap(t, pid)
}
