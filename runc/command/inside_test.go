package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestInside is what the user's program finds, line by line.
func TestInside(t *testing.T) {
	b := newBench(t, nil)
	out, code := b.inside("status", `grep -E '^(Cap|Sig[BI]|NoNewPrivs|Seccomp:|Groups|Uid)' /proc/self/status; umask; pwd; hostname; env | sort; echo /proc/self/fd/*
		cat /proc/keys /proc/timer_list; ls /sys/firmware; exit 7`)
	require.Equal(t, 7, code)
	require.Equal(t, strings.Join([]string{
		"Uid:\t0\t0\t0\t0", "Groups:\t ", "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000",
		"CapInh:\t0000000000000000", "CapPrm:\t00000000a80425fb", "CapEff:\t00000000a80425fb", "CapBnd:\t00000000a80425fb", "CapAmb:\t0000000000000000",
		"NoNewPrivs:\t0", "Seccomp:\t0", "0022", "/", "box", "A=b", "HOME=/root", "PATH=/usr/bin:/bin", "PWD=/", "SHLVL=1", "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3", "",
	}, "\n"), strings.ReplaceAll(out, "Groups:\t\n", "Groups:\t \n"))
}

func TestDevices(t *testing.T) {
	mode := os.FileMode(0o640)
	uid := uint32(1000)
	b := newBench(t, func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/net/tun", Type: "c", Major: 10, Minor: 200, FileMode: &mode, UID: &uid}}
	})
	out, _ := b.inside("dev", `stat -c '%n %A %t:%T %u' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/net/tun
		for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done; echo x > /dev/null && echo ok`)
	require.Equal(t, `/dev/null crw-rw-rw- 1:3 0
/dev/zero crw-rw-rw- 1:5 0
/dev/full crw-rw-rw- 1:7 0
/dev/random crw-rw-rw- 1:8 0
/dev/urandom crw-rw-rw- 1:9 0
/dev/tty crw-rw-rw- 5:0 0
/dev/net/tun crw-r----- a:c8 1000
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx
ok
`, out)
}

// A node that a mount has put there is left alone, even by a device of the same name with another owner: the owner would be the host's node's.
func TestDeviceIsThere(t *testing.T) {
	var before, after unix.Stat_t
	require.NoError(t, unix.Stat("/dev/full", &before))
	id := uint32(1000)
	b := newBench(t, func(s *specs.Spec) {
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/dev/full", Source: "/dev/full", Options: []string{"bind"}})
		s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/full", Type: "c", Major: 1, Minor: 7, UID: &id, GID: &id}}
	})
	out, code := b.inside("there", "stat -c '%n %t:%T %u %g' /dev/full")
	require.Equal(t, 0, code)
	require.Equal(t, fmt.Sprintf("/dev/full 1:7 %d %d\n", before.Uid, before.Gid), out)
	require.NoError(t, unix.Stat("/dev/full", &after))
	require.Equal(t, before.Uid, after.Uid)
	require.Equal(t, before.Gid, after.Gid)
}

// A user other than root has no capability but those of the bounding set, and its own groups only.
func TestUser(t *testing.T) {
	mask := uint32(0o077)
	b := newBench(t, func(s *specs.Spec) {
		s.Process.User = specs.User{UID: 1000, GID: 1001, AdditionalGids: []uint32{1001, 44}, Umask: &mask}
		s.Process.Capabilities.Effective, s.Process.Capabilities.Permitted = nil, nil
		s.Process.Cwd = "/work/here"
	})
	require.NoError(t, os.Chmod(b.bundle+"/rootfs/root", 0o700))
	out, code := b.inside("user", `id; grep -E '^Cap|^Groups' /proc/self/status; umask; pwd; ls /root; echo again >> /dev/stdout; echo "$HOME"`)
	require.Equal(t, 0, code)
	require.Equal(t, "uid=1000(user) gid=1001 groups=44,1001\nGroups:\t44 1001 \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n0077\n/work/here\nagain\n/home\n", strings.ReplaceAll(out, "ls: can't open '/root': Permission denied\n", ""))
}

// Ambient capabilities reach a program of a user that is not root.
func TestAmbient(t *testing.T) {
	caps := []string{"CAP_NET_BIND_SERVICE"}
	b := newBench(t, func(s *specs.Spec) {
		s.Process.User = specs.User{UID: 1000, GID: 1000}
		s.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps, Inheritable: caps, Ambient: caps}
		s.Process.NoNewPrivileges = true
	})
	out, _ := b.inside("ambient", `grep -E '^Cap|^NoNew' /proc/self/status`)
	set := "\t0000000000000400\n"
	require.Equal(t, "CapInh:"+set+"CapPrm:"+set+"CapEff:"+set+"CapBnd:"+set+"CapAmb:"+set+"NoNewPrivs:\t1\n", out)
}

func TestRlimits(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 64, Hard: 128}, {Type: "RLIMIT_CORE", Soft: 0, Hard: 0}}
	})
	out, _ := b.inside("rlimits", `ulimit -Sn; ulimit -Hn; ulimit -c`)
	require.Equal(t, "64\n128\n0\n", out)
}

// The soft limit of open files is the caller's, not the one that Go's runtime raised for itself.
func TestNofileOfCaller(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sh", "-c", "ulimit -Sn"} })
	id := b.id("nofile")
	pidFile := t.TempDir() + "/pid"
	out, errs, err := b.exec(exec.Command("sh", "-c", `ulimit -Sn 777; exec "$@"`, "sh", b.bin, "--root", b.root, "create", "-b", b.bundle, "--pid-file", pidFile, id))
	require.NoError(t, err, errs)
	require.Empty(t, out)
	pid, err := strconv.Atoi(read(t, pidFile))
	require.NoError(t, err)
	require.Regexp(t, `Max open files\s+777 `, read(t, "/proc/"+strconv.Itoa(pid)+"/limits"))
	b.must("delete", id)
	reap(t, pid)
}

func TestBindMounts(t *testing.T) {
	b := newBench(t, nil)
	host := t.TempDir()
	require.NoError(t, os.WriteFile(host+"/f", []byte("from the host\n"), 0o644))
	b.spec.Root.Readonly = true
	b.spec.Mounts = append(b.spec.Mounts,
		specs.Mount{Destination: "/vol/ro", Source: host, Type: "bind", Options: []string{"rbind", "ro"}},
		specs.Mount{Destination: "/vol/rro", Source: host, Options: []string{"rbind", "rro", "nosuid"}},
		specs.Mount{Destination: "/vol/rw", Source: host, Type: "bind", Options: []string{"bind", "rprivate"}},
		specs.Mount{Destination: "/etc/file", Source: host + "/f", Type: "bind", Options: []string{"bind"}},
	)
	out, _ := b.inside("bind", `cat /vol/ro/f /etc/file; touch /vol/ro/x || echo ro; touch /vol/rro/x || echo rro; touch /vol/rw/made && echo rw; touch /x || echo root`)
	lines := strings.Split(out, "\n")
	require.Subset(t, lines, []string{"from the host", "ro", "rro", "rw", "root"})
	require.FileExists(t, host+"/made")
	require.NoFileExists(t, host+"/x")
}

func TestSysctlAndOOM(t *testing.T) {
	adj := 777
	b := newBench(t, func(s *specs.Spec) {
		s.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}
		s.Process.OOMScoreAdj = &adj
	})
	host := read(t, "/proc/sys/kernel/shm_rmid_forced")
	out, _ := b.inside("sysctl", `cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced /proc/self/oom_score_adj; ifconfig lo | grep -c UP`)
	require.Equal(t, "1\n1\n777\n1\n", out)
	require.Equal(t, host, read(t, "/proc/sys/kernel/shm_rmid_forced"))
}

// A namespace by path is joined: two containers share one network and one pid namespace.
func TestJoin(t *testing.T) {
	first := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
	fid := first.id("first")
	pid, _ := first.create(fid)
	first.must("start", fid)
	proc := "/proc/" + strconv.Itoa(pid) + "/ns/"
	second := newBench(t, func(s *specs.Spec) {
		for i, n := range s.Linux.Namespaces {
			if file, ok := map[specs.LinuxNamespaceType]string{specs.NetworkNamespace: "net", specs.PIDNamespace: "pid", specs.IPCNamespace: "ipc"}[n.Type]; ok {
				s.Linux.Namespaces[i].Path = proc + file
			}
		}
	})
	out, _ := second.inside("second", `for n in net pid ipc; do readlink /proc/self/ns/$n; done; cat /proc/1/cmdline`)
	require.Equal(t, link(t, proc+"net")+"\n"+link(t, proc+"pid")+"\n"+link(t, proc+"ipc")+"\nsleep\x001000\x00", out)
	first.must("kill", fid, "KILL")
	reap(t, pid)
	first.must("delete", fid)
}

// The same bundle under Debian's runc: what a program sees of its rights and mounts is the same, in a user namespace too.
func TestLikeRunc(t *testing.T) {
	for name, users := range map[string]bool{"plain": false, "users": true} {
		t.Run(name, func(t *testing.T) { likeRunc(t, users) })
	}
}

func likeRunc(t *testing.T, users bool) {
	probetest.Need(t, "peers")
	// Not SigIgn: runc hands its caller's ignored signals on, we do not (TestInside).
	script := `grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|SigBlk)' /proc/self/status; umask; pwd; hostname; env | sort; cat /proc/self/uid_map /proc/self/setgroups
		mount | grep -v /sys/fs/cgroup | sort; stat -c '%n %A %u %g' /dev /dev/* /dev/pts/* /proc /sys /tmp | sort; ls -A /; ulimit -Sn; ulimit -Hn`
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sh", "-c", script} })
	if users {
		withUsers(b.spec)
		chownTree(t, b.bundle+"/rootfs", firstUID, firstGID)
		require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(b.bundle)), 0o711)) // runc goes to the root as the user namespace's root
	}
	ours, code := b.inside("ours", script)
	require.Equal(t, 0, code)

	id := b.id("theirs")
	cmd := exec.Command(probetest.Tools()+"/usr/sbin/runc", "--root", b.root+"-runc", "run", "--bundle", b.bundle, id)
	b.env = probetest.ToolEnv()
	theirs, errs, err := b.exec(cmd)
	require.NoError(t, err, errs)
	clean := func(s string) string {
		var kept []string
		for _, line := range strings.Split(s, "\n") {
			switch {
			case strings.Contains(line, "/dev/core"): // runc links the host's /proc/kcore, which it then masks; we do not
			case strings.HasPrefix(line, "tmpfs on /dev type"), strings.Contains(line, "/null"):
			case users && strings.HasPrefix(line, "/dev/mqueue"): // runc makes the ipc namespace before it has a gid in the user namespace
				require.Regexp(t, ` 0 (0|65534)$`, line)
			case strings.HasPrefix(line, "devtmpfs on /proc/"), strings.HasPrefix(line, "tmpfs on /proc/"), strings.HasPrefix(line, "tmpfs on /sys/"), strings.HasPrefix(line, "none on "):
				// covers: runc takes the container's /dev/null and a tmpfs with a source name
				kept = append(kept, "cover on "+strings.Fields(line)[2])
			default:
				kept = append(kept, line)
			}
		}
		slices.Sort(kept)
		return strings.Join(kept, "\n")
	}
	require.Equal(t, clean(theirs), clean(ours))
}
