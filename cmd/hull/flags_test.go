package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A look is what the kernel says about a running container from outside.
type look struct {
	*testing.T
	e   *engine
	id  string
	pid int
}

// read is a file below /proc/PID.
func (l look) read(name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", l.pid, name))
	require.NoError(l, err)
	return string(text)
}

// root is a path of the container, seen through its first process.
func (l look) root(path string) string { return fmt.Sprintf("/proc/%d/root%s", l.pid, path) }

// mount is the options of the mount at a place of the container: its own, and its file system's.
func (l look) mount(place string) string {
	found := "no mount at " + place
	for _, line := range strings.Split(l.read("mountinfo"), "\n") {
		if f := strings.Fields(line); len(f) > 6 && f[4] == place {
			found = f[5] + " " + strings.Join(f[6:], " ") // the last one covers the others
		}
	}
	return found
}

// ns is a namespace of a process.
func (l look) ns(pid int, kind string) string {
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	require.NoError(l, err)
	return link
}

// children is a file of each child of the container's first process, whichever of its threads has made it.
func (l look) children(name string) (texts []string) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", l.pid))
	require.NoError(l, err)
	for _, task := range tasks {
		pids, _ := os.ReadFile(task)
		for _, pid := range strings.Fields(string(pids)) {
			text, _ := os.ReadFile("/proc/" + pid + "/" + name)
			texts = append(texts, string(text))
		}
	}
	return texts
}

func (l look) status(pattern string) { assert.Regexp(l, "(?m)^"+pattern+"$", l.read("status")) }

// flagLooks are flags of run, and where the kernel shows that they were obeyed.
var flagLooks = []struct {
	flags string
	look  func(look)
}{
	{"--cap-add NET_ADMIN --cap-drop ALL", func(l look) { l.status(`CapEff:\s+0000000000001000`); l.status(`CapBnd:\s+0000000000001000`) }},
	{"-u 1000:5 --group-add 7 --cap-add SYS_ADMIN", func(l look) {
		l.status(`Uid:\s+1000\s+1000\s+1000\s+1000`)
		l.status(`Groups:\s*5 7\s*`)
		l.status(`CapEff:\s+0000000000000000`)
	}},
	{"--security-opt no-new-privileges --security-opt seccomp=unconfined", func(l look) { l.status(`NoNewPrivs:\s+1`); l.status(`Seccomp:\s+0`) }},
	{"--security-opt seccomp=PROFILE", func(l look) {
		l.status(`Seccomp:\s+2`)
		l.status(`Seccomp_filters:\s+1`)
	}},
	{"--privileged", func(l look) {
		own, err := os.ReadFile("/proc/self/status")
		require.NoError(l, err)
		for _, line := range strings.Split(string(own), "\n") {
			if strings.HasPrefix(line, "CapBnd:") {
				l.status(strings.Replace(line, "CapBnd", "CapEff", 1))
			}
		}
		l.status(`Seccomp:\s+0`)
		assert.True(l, strings.HasPrefix(l.mount("/sys"), "rw,"), l.mount("/sys"))
		assert.Contains(l, l.mount("/proc/sys"), "no mount")
		assert.Contains(l, l.mount("/proc/kcore"), "no mount")
		assert.True(l, strings.HasPrefix(l.mount("/sys/fs/cgroup"), "rw,"), l.mount("/sys/fs/cgroup"))
		nodes, err := filepath.Glob("/dev/loop*")
		require.NoError(l, err)
		for _, node := range append(nodes, "/dev/kmsg") {
			var host, inside unix.Stat_t
			if unix.Stat(node, &host) == nil {
				require.NoError(l, unix.Stat(l.root(node), &inside), node)
				assert.Equal(l, host.Rdev, inside.Rdev, node)
			}
		}
	}},
	{"--security-opt systempaths=unconfined", func(l look) { assert.Contains(l, l.mount("/proc/kcore"), "no mount") }},
	{"--read-only --tmpfs /t:size=64k,mode=700 --tmpfs /run/x", func(l look) {
		assert.True(l, strings.HasPrefix(l.mount("/"), "ro,"), l.mount("/"))
		assert.Regexp(l, `^rw,nosuid,nodev,noexec.* tmpfs .*size=64k,mode=700`, l.mount("/t"))
		assert.Regexp(l, `^rw,nosuid,nodev,noexec.* tmpfs `, l.mount("/run/x"))
		assert.True(l, strings.HasPrefix(l.mount("/etc/hosts"), "ro,"), l.mount("/etc/hosts"))
	}},
	{"--mount type=bind,src=/usr,dst=/a,readonly --mount type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=1700 -v /usr:/c", func(l look) {
		assert.True(l, strings.HasPrefix(l.mount("/a"), "ro,"), l.mount("/a"))
		assert.Contains(l, l.mount("/b"), "size=1024k,mode=1700")
		assert.True(l, strings.HasPrefix(l.mount("/c"), "rw,"), l.mount("/c"))
	}},
	{"--ulimit nofile=100:200 --ulimit core=0:4096", func(l look) {
		assert.Regexp(l, `Max open files\s+100\s+200`, l.read("limits"))
		assert.Regexp(l, `Max core file size\s+0\s+4096`, l.read("limits"))
	}},
	{"--oom-score-adj 321", func(l look) { assert.Equal(l, "321\n", l.read("oom_score_adj")) }},
	{"--sysctl net.ipv4.ip_forward=1 --domainname example.org -h box", func(l look) {
		inside := func(kind, name string) string {
			out, err := exec.Command("nsenter", "-t", fmt.Sprint(l.pid), kind, "cat", "/proc/sys/"+name).Output()
			require.NoError(l, err)
			return strings.TrimSpace(string(out))
		}
		assert.Equal(l, "1", inside("-n", "net/ipv4/ip_forward"))
		assert.Equal(l, "example.org", inside("-u", "kernel/domainname"))
		assert.Equal(l, "box", inside("-u", "kernel/hostname"))
	}},
	{"--device /dev/null:/dev/other:r --device-cgroup-rule c~7:*~rw", func(l look) {
		var st unix.Stat_t
		require.NoError(l, unix.Stat(l.root("/dev/other"), &st))
		assert.Equal(l, unix.Mkdev(1, 3), st.Rdev)
		if dirs, _ := filepath.Glob("/sys/fs/cgroup/devices" + l.e.inst.CgroupParent() + "/" + l.id); len(dirs) == 1 {
			text, err := os.ReadFile(dirs[0] + "/devices.list")
			require.NoError(l, err)
			assert.Contains(l, string(text), "c 7:* rw")
		}
	}},
	{"-m 64m --memory-reservation 32m --memory-swap 96m", func(l look) {
		assert.Equal(l, "67108864", l.e.knob(l.id, "memory.limit_in_bytes", "memory.max"))
		assert.Contains(l, []string{"100663296", "33554432"}, l.e.knob(l.id, "memory.memsw.limit_in_bytes", "memory.swap.max"))
		assert.Equal(l, "33554432", l.e.knob(l.id, "memory.soft_limit_in_bytes", "memory.low"))
	}},
	{"--cpu-shares 512 --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0", func(l look) {
		assert.Contains(l, []string{"512", "59"}, l.e.knob(l.id, "cpu.shares", "cpu.weight"))
		assert.Contains(l, []string{"25000", "25000 50000"}, l.e.knob(l.id, "cpu.cfs_quota_us", "cpu.max"))
		assert.Equal(l, "0", l.e.knob(l.id, "cpuset.cpus"))
		l.status(`Cpus_allowed_list:\s+0`)
	}},
	{"--cgroup-parent PARENT", func(l look) { assert.Contains(l, l.read("cgroup"), ":/hullflags/"+l.id+"\n") }},
	{"--shm-size 1m", func(l look) { assert.Contains(l, l.mount("/dev/shm"), "size=1024k") }},
	{"--ipc none", func(l look) { assert.Contains(l, l.mount("/dev/shm"), "no mount") }},
	{"--pid host --uts host --ipc host --cgroupns host", func(l look) {
		for _, kind := range []string{"pid", "uts", "ipc", "cgroup"} {
			assert.Equal(l, l.ns(os.Getpid(), kind), l.ns(l.pid, kind), kind)
		}
		for _, kind := range []string{"mnt", "net"} {
			assert.NotEqual(l, l.ns(os.Getpid(), kind), l.ns(l.pid, kind), kind)
		}
		var host, inside unix.Stat_t
		require.NoError(l, unix.Stat("/dev/shm", &host))
		require.NoError(l, unix.Stat(l.root("/dev/shm"), &inside))
		assert.Equal(l, host.Dev, inside.Dev)
	}},
	{"-w /made/by/root -u 1000", func(l look) {
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", l.pid))
		require.NoError(l, err)
		assert.Equal(l, "/made/by/root", cwd)
		var st unix.Stat_t
		require.NoError(l, unix.Stat(l.root(cwd), &st))
		assert.Zero(l, st.Uid)
	}},
	{"-e A=1 -e PATH --env-file ENV", func(l look) {
		assert.Contains(l, l.read("environ"), "B=from a file\x00A=1\x00", "the files come first")
	}},
	{"--init", func(l look) {
		assert.Equal(l, "hull-init\n", l.read("comm"))
		l.e.until("it has started the program", func() bool {
			children := l.children("cmdline")
			return len(children) == 1 && children[0] == "sleep\x001000\x00"
		})
	}},
	{"--add-host a.example:1.2.3.4 --dns 9.9.9.9 --dns-search x.example --dns-option ndots:3", func(l look) {
		hosts, err := os.ReadFile(l.root("/etc/hosts"))
		require.NoError(l, err)
		assert.Contains(l, string(hosts), "\n1.2.3.4\ta.example\n")
		resolv, err := os.ReadFile(l.root("/etc/resolv.conf"))
		require.NoError(l, err)
		assert.Equal(l, "nameserver 9.9.9.9\nsearch x.example\noptions ndots:3\n", string(resolv))
	}},
	{"-v /data -v /etc", func(l look) {
		assert.True(l, strings.HasPrefix(l.mount("/data"), "rw,"), l.mount("/data"))
		text, err := os.ReadFile(l.root("/etc/passwd"))
		require.NoError(l, err)
		assert.Contains(l, string(text), "root:", "the image's content is in the volume")
		var root, volume unix.Stat_t
		require.NoError(l, unix.Stat(l.root("/"), &root))
		require.NoError(l, unix.Stat(l.root("/etc"), &volume))
		assert.NotEqual(l, root.Dev, volume.Dev)
	}},
}

// TestFlagsSeenFromOutside runs a container for each line and looks where the kernel keeps what the flags ask for.
func TestFlagsSeenFromOutside(t *testing.T) {
	e := up(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/env", []byte("# comment\nB=from a file\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/profile", []byte(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chroot"],"action":"SCMP_ACT_ERRNO"}]}`), 0o600))
	names := strings.NewReplacer("~", " ", "ENV", dir+"/env", "PROFILE", dir+"/profile", "PARENT", "../hullflags")
	for _, f := range flagLooks {
		t.Run(f.flags, func(t *testing.T) {
			args := []string{"run", "-d", "--network", "none"}
			for _, a := range strings.Fields(f.flags) {
				args = append(args, names.Replace(a))
			}
			id := strings.TrimSpace(e.ok(append(args, "busybox", "sleep", "1000")...))
			e.until("the program runs", func() bool {
				comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", e.inspect(id).State.Pid))
				return !bytes.HasPrefix(comm, []byte("hull-runc"))
			})
			f.look(look{t, e, id, e.inspect(id).State.Pid})
			e.ok("rm", "-f", id)
			e.nothingLeft(id)
		})
	}
	parents, _ := filepath.Glob("/sys/fs/cgroup/*/hullflags")
	for _, dir := range parents {
		require.NoError(t, os.Remove(dir), "a group of the user's own choice stays, and is empty")
	}
}

// TestJoinedNamespaces: a container in another's namespaces, and the ways in which that cannot be.
func TestJoinedNamespaces(t *testing.T) {
	e := up(t)
	run := func(args ...string) (id string, pid int) {
		id = strings.TrimSpace(e.ok(append([]string{"run", "-d"}, args...)...))
		return id, e.inspect(id).State.Pid
	}
	donor, first := run("--name", "donor", "--network", "none", "--ipc", "shareable", "--shm-size", "1m", "busybox", "sleep", "1000")
	guest, pid := run("--pid", "container:donor", "--ipc", "container:donor", "--network", "container:donor", "busybox", "sleep", "1000")
	l := look{t, e, guest, pid}
	for _, kind := range []string{"pid", "ipc", "net"} {
		require.Equal(t, l.ns(first, kind), l.ns(pid, kind), kind)
	}
	for _, kind := range []string{"mnt", "uts", "cgroup"} {
		require.NotEqual(t, l.ns(first, kind), l.ns(pid, kind), kind)
	}
	require.NoError(t, os.WriteFile(look{t, e, donor, first}.root("/dev/shm/x"), []byte("shared"), 0o600))
	text, err := os.ReadFile(l.root("/dev/shm/x"))
	require.NoError(t, err)
	require.Equal(t, "shared", string(text))

	// A later start joins what the donor is then.
	e.ok("create", "--name", "later", "--network", "none", "--pid", "container:donor", "busybox", "sleep", "1000")
	require.Contains(t, e.ok("inspect", "later"), `"PidMode": "container:`+donor+`"`)
	e.ok("rm", "-f", donor)
	_, stderr, code := e.run("run", "--rm", "--network", "none", "--pid", "container:donor", "busybox", "true")
	require.Equal(t, 125, code)
	require.Equal(t, "hull: Error response from daemon: No such container: donor\n", stderr)
	require.Error(t, syscall.Kill(pid, 0), "the donor was pid 1 of the namespace: with it the kernel kills the guest")
	e.ok("rm", "-f", guest, "later")

	_, stopped := run("--name", "private", "--network", "none", "busybox", "sleep", "1000")
	_, stderr, code = e.run("run", "--rm", "--network", "none", "--ipc", "container:private", "busybox", "true")
	require.Equal(t, 125, code)
	require.Contains(t, stderr, "failed to join IPC namespace: ")
	require.Contains(t, stderr, "non-shareable IPC (hint: use IpcMode:shareable for the donor container)")
	e.ok("stop", "-t", "0", "private")
	require.Error(t, syscall.Kill(stopped, 0))
	_, stderr, code = e.run("run", "--rm", "--network", "none", "--pid", "container:private", "busybox", "true")
	require.Equal(t, 125, code)
	require.Regexp(t, `failed to join PID namespace: .*is not running`, stderr)
	_, stderr, code = e.run("run", "--rm", "--network", "container:private", "busybox", "true")
	require.Equal(t, 125, code)
	require.Contains(t, stderr, "cannot join network of a non running container")
	e.ok("rm", "private")
	e.nothingLeft(donor)
}

// TestInit: the init of --init passes signals on, waits for orphans, and ends as the program does.
func TestInit(t *testing.T) {
	e := up(t)
	run := func(script string, args ...string) (string, int) {
		out, text, code := e.run(append(append([]string{"run", "--rm", "--network", "none", "--init"}, args...), "busybox", "sh", "-c", script)...)
		return out + text, code
	}
	_, code := run("exit 42")
	require.Equal(t, 42, code)
	_, code = run("kill -9 $$")
	require.Equal(t, 137, code)
	out, text, code := e.run("run", "--rm", "--network", "none", "--init", "busybox", "/nosuch")
	require.Equal(t, 127, code, out+text)
	require.Contains(t, text, "hull-init: exec /nosuch")
	_, text, code = e.run("run", "--rm", "--network", "none", "--init", "busybox", "/etc/passwd")
	require.Equal(t, 126, code, text)

	id := strings.TrimSpace(e.ok("run", "-d", "--network", "none", "--init", "busybox", "sh", "-c", `trap 'exit 7' TERM; (sh -c 'sleep 0.01 & exit') ; while :; do sleep 0.05; done`))
	l := look{t, e, id, e.inspect(id).State.Pid}
	e.until("the orphan has been waited for, and no zombie is left", func() bool {
		children := l.children("stat")
		return len(children) == 1 && strings.Contains(children[0], " (sh) ")
	})
	e.ok("stop", "-t", "30", id)
	require.Equal(t, 7, e.inspect(id).State.ExitCode, "the program had the signal, and said how it ends")
	e.ok("rm", id)
}
