package command_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A mountLine is one line of a process's mountinfo (proc(5)).
type mountLine struct{ root, point, options, optional, fstype, source, super string }

// mountsOf are the mounts that a process sees, the ones on top last.
func mountsOf(t *testing.T, pid string) (list []mountLine) {
	for _, line := range strings.Split(strings.TrimSpace(read(t, "/proc/"+pid+"/mountinfo")), "\n") {
		f, g, ok := strings.Cut(line, " - ")
		require.True(t, ok, line)
		before, after := strings.SplitN(f, " ", 7), strings.Fields(g)
		m := mountLine{root: before[3], point: before[4], options: before[5], fstype: after[0], source: after[1], super: after[2]}
		if len(before) > 6 {
			m.optional = before[6]
		}
		list = append(list, m)
	}
	return list
}

// mountAt is what is mounted there, on top.
func mountAt(t *testing.T, pid, point string) mountLine {
	t.Helper()
	var found *mountLine
	for _, m := range mountsOf(t, pid) {
		if m.point == point {
			found = &m
		}
	}
	require.NotNil(t, found, "nothing is mounted on %s", point)
	return *found
}

// created is a container that waits for its start, with its mounts to be looked at; it is deleted at once when look returns.
func (b *bench) created(name string, look func(pid string)) {
	b.t.Helper()
	id := b.id(name)
	pid, _ := b.create(id)
	look(strconv.Itoa(pid))
	b.must("delete", "--force", id)
	reap(b.t, pid)
}

func TestMountOptions(t *testing.T) {
	b := newBench(t, nil)
	usual := b.spec.Mounts
	for _, c := range []struct {
		options []string
		told    string // of the mount, as the kernel tells them
		super   string // of the file system
	}{
		{nil, "rw,relatime", "rw"},
		{[]string{"ro", "nosuid", "nodev", "noexec"}, "ro,nosuid,nodev,noexec,relatime", "rw"},
		{[]string{"nosuid", "nodev", "noexec", "suid", "dev", "exec", "ro", "rw"}, "rw,relatime", "rw"},
		{[]string{"noatime"}, "rw,noatime", "rw"},
		{[]string{"noatime", "strictatime"}, "rw", "rw"},
		{[]string{"nodiratime", "nosymfollow"}, "rw,nodiratime,relatime,nosymfollow", "rw"},
		{[]string{"rro", "rnosuid"}, "ro,nosuid,relatime", "rw"},
		{[]string{"sync", "dirsync", "lazytime"}, "rw,relatime", "rw,sync,dirsync,lazytime"},
		{[]string{"defaults", "async", "nomand", "loud", "silent", "nolazytime", "noiversion", "norelatime"}, "rw,relatime", "rw"},
		{[]string{"size=64k", "nr_inodes=7", "mode=700"}, "rw,relatime", "rw,size=64k,nr_inodes=7,mode=700"},
	} {
		b.spec.Mounts = append(usual[:len(usual):len(usual)], specs.Mount{Destination: "/vol//new/", Type: "tmpfs", Options: c.options})
		b.created("options", func(pid string) {
			m := mountAt(t, pid, "/vol/new")
			require.Equal(t, c.told, m.options, "%v", c.options)
			for _, want := range strings.Split(c.super, ",") {
				require.Contains(t, strings.Split(m.super, ","), want, "%v", c.options)
			}
		})
	}
}

// A bind mount keeps what its source forbids, and what is asked for comes on top; with an r in front, also below.
func TestBindOptions(t *testing.T) {
	b := newBench(t, nil)
	source := b.mountTmpfs(t.TempDir(), unix.MS_NOSUID|unix.MS_NOATIME)
	require.NoError(t, os.Mkdir(source+"/sub", 0o755))
	b.mountTmpfs(source+"/sub", 0)
	usual := b.spec.Mounts
	for _, c := range []struct {
		options  []string
		top, sub string
	}{
		{[]string{"bind"}, "rw,nosuid,noatime", ""},
		{[]string{"rbind"}, "rw,nosuid,noatime", "rw,relatime"},
		{[]string{"rbind", "ro", "suid"}, "ro,noatime", "rw,relatime"},
		{[]string{"rbind", "rro", "rnodev", "rnosymfollow", "rstrictatime"}, "ro,nosuid,nodev,nosymfollow", "ro,nodev,nosymfollow"},
		{[]string{"rbind", "rro", "rw"}, "ro,nosuid,noatime", "ro,relatime"},
		{[]string{"bind", "ro", "mode=777", "size=1m"}, "ro,nosuid,noatime", ""}, // left out with a warning, as by runc
	} {
		b.spec.Mounts = append(usual[:len(usual):len(usual)], specs.Mount{Destination: "/vol/bound", Source: source, Options: c.options})
		b.created("bound", func(pid string) {
			require.Equal(t, c.top, mountAt(t, pid, "/vol/bound").options, "%v", c.options)
			if c.sub != "" {
				require.Equal(t, c.sub, mountAt(t, pid, "/vol/bound/sub").options, "%v", c.options)
			}
		})
	}
}

// mountTmpfs mounts a tmpfs for the time of the test.
func (b *bench) mountTmpfs(dir string, flags uintptr) string {
	require.NoError(b.t, unix.Mount("tmpfs", dir, "tmpfs", flags, "mode=755"))
	b.t.Cleanup(func() { require.NoError(b.t, unix.Unmount(dir, 0)) })
	return dir
}

// A remount changes the mount that is there, and nothing that is not named.
func TestRemount(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Mounts = append(s.Mounts,
			specs.Mount{Destination: "/proc", Options: []string{"remount", "bind", "ro"}},
			specs.Mount{Destination: "/dev/shm", Type: "tmpfs", Options: []string{"remount", "rexec", "rshared"}},
		)
	})
	b.created("remount", func(pid string) {
		require.Equal(t, "ro,nosuid,nodev,noexec,relatime", mountAt(t, pid, "/proc").options)
		shm := mountAt(t, pid, "/dev/shm")
		require.Equal(t, "rw,nosuid,nodev,relatime", shm.options)
		require.Contains(t, shm.optional, "shared:")
	})
	b.spec.Mounts = append(b.spec.Mounts, specs.Mount{Destination: "/tmp", Options: []string{"remount", "ro"}})
	require.Contains(t, b.createFails(b.id("remount")), "mounts[9] /tmp: mount_setattr: invalid argument")
}

// Sources are relative to the bundle; a file is bound on a file, which is made; a link on the way stays inside the root.
func TestBindSources(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Mounts = append(s.Mounts,
			specs.Mount{Destination: "/vol/file", Source: "data/f", Options: []string{"bind"}},
			specs.Mount{Destination: "/absolute/dir", Source: "./data", Options: []string{"bind"}},
		)
	})
	require.NoError(t, os.Mkdir(b.bundle+"/data", 0o755))
	require.NoError(t, os.WriteFile(b.bundle+"/data/f", []byte("data"), 0o644))
	require.NoError(t, os.Symlink("/../../../../../../../../vol", b.bundle+"/rootfs/absolute"))
	out, _ := b.inside("sources", "cat /vol/file /vol/dir/f")
	require.Equal(t, "datadata", out)
	info, err := os.Stat(b.bundle + "/rootfs/vol/dir")
	require.NoError(t, err)
	require.True(t, info.IsDir())
}

// A bind mount that is shared or a slave hears of the host's later mounts, whatever the root's own propagation, and only a shared one sends
// back. The host here is a mount namespace of the test's own, all of it shared.
func TestBindPropagation(t *testing.T) {
	b := newBench(t, nil)
	usual := b.spec.Mounts
	for _, root := range []string{"", "private", "rshared"} {
		for option, want := range map[string]struct{ hears, sends bool }{
			"rprivate": {false, false}, "rslave": {true, false}, "rshared": {true, true}, "runbindable": {false, false},
		} {
			t.Run(root+" "+option, func(t *testing.T) {
				b.onSharedHost(func() {
					source := t.TempDir()
					require.NoError(t, unix.Mount("tmpfs", source, "tmpfs", 0, ""))
					require.NoError(t, os.MkdirAll(source+"/from-host", 0o755))
					require.NoError(t, os.MkdirAll(source+"/from-inside", 0o755))
					b.spec.Linux.RootfsPropagation = root
					b.spec.Mounts = append(usual[:len(usual):len(usual)], specs.Mount{Destination: "/vol", Source: source, Options: []string{"rbind", option}})
					before := mountPoints(t, "thread-self")
					group := mountAt(t, "thread-self", source).optional
					require.Contains(t, group, "shared:")
					b.created("propagation", func(pid string) {
						require.Equal(t, want.sends, strings.Contains(mountAt(t, pid, "/vol").optional, group))
						require.NoError(t, unix.Mount("tmpfs", source+"/from-host", "tmpfs", 0, ""))
						hears := false
						for _, m := range mountsOf(t, pid) {
							hears = hears || m.point == "/vol/from-host"
						}
						require.Equal(t, want.hears, hears)
						require.NoError(t, unix.Unmount(source+"/from-host", 0))
					})
					require.Equal(t, before, mountPoints(t, "thread-self"))
				})
			})
		}
	}
}

// onSharedHost runs f on a thread in a mount namespace of its own, in which everything is shared, as systemd has it. The thread ends with f;
// it is not the process's first, which could not end and whose mounts are those of /proc/self.
func (b *bench) onSharedHost(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			b.onSharedHost(f)
			runtime.UnlockOSThread()
			return
		}
		require.NoError(b.t, unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS))
		require.NoError(b.t, unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
		require.NoError(b.t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""))
		f()
	}()
	<-done
}

// linux.rootfsPropagation is what copies of the container's root share. Inside, as the OCI runtime-tools' suite looks at it.
func TestRootPropagation(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		caps := append(s.Process.Capabilities.Bounding, "CAP_SYS_ADMIN")
		s.Process.Capabilities.Bounding, s.Process.Capabilities.Effective, s.Process.Capabilities.Permitted = caps, caps, caps
	})
	for value, want := range map[string]string{
		"": "hidden", "private": "hidden", "rprivate": "hidden", "slave": "hidden", "rslave": "hidden", "shared": "shown", "rshared": "shown",
		"unbindable": "unbindable", "runbindable": "unbindable",
	} {
		b.spec.Linux.RootfsPropagation = value
		out, _ := b.inside("root", `mkdir -p /copy /from /on; echo x > /from/file
			if mount --rbind / /copy 2>/dev/null; then mount --bind /from /on; cat /copy/on/file >/dev/null 2>&1 && echo shown || echo hidden; else echo unbindable; fi`)
		require.Equal(t, want+"\n", out, value)
		b.created("optional", func(pid string) {
			for _, m := range mountsOf(t, pid) {
				shared := strings.Contains(m.optional, "shared:")
				switch {
				case m.point == "/":
					require.Equal(t, strings.HasSuffix(value, "shared"), shared, value)
				default:
					require.Equal(t, value == "rshared", shared, "%s %s", value, m.point)
				}
				require.NotContains(t, m.optional, "master:", "%s %s", value, m.point)
			}
		})
	}
}

// The owners of an idmapped mount's files are shown as others, and what is made inside belongs to those outside.
func TestIDMapped(t *testing.T) {
	b := newBench(t, nil)
	for name, source := range map[string]string{"tmpfs": b.mountTmpfs(t.TempDir(), 0), "disk": t.TempDir()} {
		require.NoError(t, os.WriteFile(source+"/f", []byte("x"), 0o644))
		require.NoError(t, os.Chown(source+"/f", 3, 4))
		require.NoError(t, os.Mkdir(source+"/sub", 0o755))
		b.spec.Mounts = append(defaultSpec().Mounts, specs.Mount{
			Destination: "/vol", Source: source, Options: []string{"bind", "idmap"},
			UIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100, Size: 10}, {ContainerID: 500, HostID: 0, Size: 1}},
			GIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 200, Size: 10}, {ContainerID: 501, HostID: 0, Size: 1}},
		})
		out, _ := b.inside("ids", "stat -c '%u:%g' /vol/f; touch /vol/made")
		require.Equal(t, "103:204\n", out, name)
		var st unix.Stat_t
		require.NoError(t, unix.Stat(source+"/made", &st))
		require.Equal(t, []uint32{500, 501}, []uint32{st.Uid, st.Gid}, name)
		b.created("ids", func(pid string) {
			require.Contains(t, mountAt(t, pid, "/vol").options, "idmapped")
			require.Empty(t, mountAt(t, pid, "/vol").optional)
		})
	}
}

// Without a mapping of its own the mount takes the container's: the owners inside are those in the file system.
func TestIDMappedLikeContainer(t *testing.T) {
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	b := newBench(t, func(s *specs.Spec) {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		s.Linux.UIDMappings, s.Linux.GIDMappings = ids, ids
	})
	source := b.mountTmpfs(t.TempDir(), 0)
	require.NoError(t, os.WriteFile(source+"/f", []byte("x"), 0o644))
	require.NoError(t, os.Chown(source+"/f", 3, 4))
	b.spec.Mounts = append(b.spec.Mounts, specs.Mount{Destination: "/vol", Source: source, Options: []string{"rbind", "idmap"}})
	require.NoError(t, filepath.WalkDir(b.bundle+"/rootfs", func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, 100000, 100000))
	}))
	for dir := b.bundle; dir != "/tmp"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	out, _ := b.inside("like", "stat -c '%u:%g' /vol/f; touch /vol/made; stat -c '%u:%g' /vol/made")
	require.Equal(t, "3:4\n0:0\n", out)
	var st unix.Stat_t
	require.NoError(t, unix.Stat(source+"/made", &st))
	require.Equal(t, []uint32{0, 0}, []uint32{st.Uid, st.Gid})
}

// ridmap is for what is mounted below as well; idmap for the mount alone.
func TestIDMappedBelow(t *testing.T) {
	b := newBench(t, nil)
	source := b.mountTmpfs(t.TempDir(), 0)
	require.NoError(t, os.Mkdir(source+"/sub", 0o755))
	b.mountTmpfs(source+"/sub", 0)
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100, Size: 10}}
	for option, below := range map[string]bool{"idmap": false, "ridmap": true} {
		b.spec.Mounts = append(defaultSpec().Mounts, specs.Mount{Destination: "/vol", Source: source, Options: []string{"rbind", option}, UIDMappings: ids, GIDMappings: ids})
		b.created("ids", func(pid string) {
			require.Contains(t, mountAt(t, pid, "/vol").options, "idmapped")
			require.Equal(t, below, strings.Contains(mountAt(t, pid, "/vol/sub").options, "idmapped"))
		})
	}
}

// What the runtime makes itself is no row of the first process's, and the plan says so; nor is it made.
func TestPlanOfMounts(t *testing.T) {
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100, Size: 10}}
	b := newBench(t, func(s *specs.Spec) {
		s.Mounts = append(s.Mounts,
			specs.Mount{Destination: "/vol/mapped", Source: "/etc", Options: []string{"rbind"}, UIDMappings: ids, GIDMappings: ids},
			specs.Mount{Destination: "/vol/tied", Source: "/usr", Options: []string{"rbind", "rslave"}},
			specs.Mount{Destination: "/dev", Options: []string{"remount", "ro"}},
		)
	})
	out := b.must("plan", b.bundle)
	require.NotContains(t, out, `"/etc"`)
	require.Less(t, strings.Index(out, `open_tree(AT_FDCWD, "/usr"`), strings.Index(out, "runc.init.propagation"))
	require.Regexp(t, `(?m)-\s+remount /dev\s+openat2\(fd, "dev".*\n.*mount_setattr`, out)
	require.NoDirExists(t, b.bundle+"/rootfs/vol/mapped")
}

// An overlay cannot be idmapped: the error names the field, and what can be.
func TestIDMappedOverlay(t *testing.T) {
	b := newBench(t, nil)
	dir := b.mountTmpfs(t.TempDir(), 0)
	for _, d := range []string{"l", "u", "w", "m"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	require.NoError(t, unix.Mount("overlay", dir+"/m", "overlay", 0, fmt.Sprintf("lowerdir=%s/l,upperdir=%s/u,workdir=%s/w", dir, dir, dir)))
	defer unix.Unmount(dir+"/m", 0)
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100, Size: 10}}
	b.spec.Mounts = append(b.spec.Mounts, specs.Mount{Destination: "/vol", Source: dir + "/m", Options: []string{"rbind"}, UIDMappings: ids, GIDMappings: ids})
	require.Contains(t, b.createFails(b.id("overlay")), "runc.init.mounts: mounts[7] /vol: uidMappings, gidMappings: mount_setattr: invalid argument")
}

// A tmpfs over a directory of the image has its mode, as under runc; one with tmpcopyup has its content as well.
func TestTmpfsOverImage(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Mounts = append(s.Mounts,
			specs.Mount{Destination: "/vol", Type: "tmpfs"},
			specs.Mount{Destination: "/made", Type: "tmpfs"},
			specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"mode=711"}},
			specs.Mount{Destination: "/etc", Type: "tmpfs", Options: []string{"tmpcopyup", "ro"}},
			specs.Mount{Destination: "/absent", Type: "tmpfs", Source: "named", Options: []string{"tmpcopyup"}},
			specs.Mount{Destination: "/etc/a", Type: "tmpfs", Options: []string{"tmpcopyup"}},   // of a copy
			specs.Mount{Destination: "/vol/etc", Type: "tmpfs", Options: []string{"tmpcopyup"}}, // of nothing
		)
	})
	root := b.bundle + "/rootfs"
	require.NoError(t, os.Symlink("busybox", root+"/bin/cut"))
	require.NoError(t, unix.Chmod(root+"/vol", 0o750))
	require.NoError(t, unix.Chmod(root+"/etc", 0o1775))
	require.NoError(t, os.MkdirAll(root+"/etc/a/b", 0o700))
	require.NoError(t, os.WriteFile(root+"/etc/a/b/f", []byte("copied"), 0o640))
	require.NoError(t, os.Chown(root+"/etc/a/b/f", 7, 8))
	require.NoError(t, unix.Chmod(root+"/etc/a/b/f", 0o4751))
	require.NoError(t, os.Symlink("/etc/passwd", root+"/etc/link"))
	require.NoError(t, unix.Mkfifo(root+"/etc/fifo", 0o600))
	out, _ := b.inside("tmpfs", `stat -c '%n %a' /vol /made /tmp /etc /absent; stat -c '%n %A %u:%g' /etc/a/b/f /etc/a/b /etc/link /etc/fifo
		cat /etc/a/b/f; echo; readlink /etc/link; touch /etc/x 2>/dev/null || echo ro; wc -l < /etc/passwd
		ls /vol/etc; touch /etc/a/x /vol/etc/x; grep -E ' /(absent|etc/a|vol/etc) ' /proc/self/mounts | cut -d' ' -f1-3`)
	require.Equal(t, `/vol 750
/made 1777
/tmp 711
/etc 1775
/absent 1777
/etc/a/b/f -rwsr-x--x 7:8
/etc/a/b drwx------ 0:0
/etc/link lrwxrwxrwx 0:0
/etc/fifo prw------- 0:0
copied
/etc/passwd
ro
2
named /absent tmpfs
tmpfs /etc/a tmpfs
tmpfs /vol/etc tmpfs
`, out)
	require.NoFileExists(t, root+"/etc/x")
	require.NoFileExists(t, root+"/etc/a/x")
}

// The options of the kernel's own file systems reach them.
func TestKernelFilesystems(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Mounts[0].Options = append(s.Mounts[0].Options, "hidepid=2", "subset=pid")
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/mnt/mqueue", Type: "mqueue"}, specs.Mount{Destination: "/mnt/pts", Type: "devpts", Options: []string{"newinstance", "ptmxmode=0600", "max=9"}})
		s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = nil, nil
		for i, n := range s.Linux.Namespaces {
			if n.Type == specs.NetworkNamespace { // the host's network: a sysfs of the host's
				s.Linux.Namespaces = append(s.Linux.Namespaces[:i:i], s.Linux.Namespaces[i+1:]...)
			}
		}
	})
	b.created("kernel", func(pid string) {
		proc := mountAt(t, pid, "/proc")
		require.Contains(t, proc.super, "hidepid=invisible")
		require.Contains(t, proc.super, "subset=pid")
		require.Equal(t, "mqueue", mountAt(t, pid, "/mnt/mqueue").fstype)
		require.Contains(t, mountAt(t, pid, "/mnt/pts").super, "max=9")
		ours, err := os.ReadDir("/sys/class/net")
		require.NoError(t, err)
		theirs, err := os.ReadDir("/proc/" + pid + "/root/sys/class/net")
		require.NoError(t, err)
		require.Len(t, theirs, len(ours))
	})
}

// Each of these is refused with the mount's number before anything is made.
func TestBadMounts(t *testing.T) {
	b := newBench(t, nil)
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100, Size: 10}}
	many := make([]specs.LinuxIDMapping, 341)
	for i := range many {
		many[i] = specs.LinuxIDMapping{ContainerID: uint32(i), HostID: uint32(i), Size: 1}
	}
	bound := func(o ...string) specs.Mount {
		return specs.Mount{Destination: "/vol", Source: "/etc", Options: append(o, "rbind")}
	}
	mapped := func(m specs.Mount, uids, gids []specs.LinuxIDMapping) specs.Mount {
		m.UIDMappings, m.GIDMappings = uids, gids
		return m
	}
	for want, m := range map[string]specs.Mount{
		" rel: destination is not an absolute path":                              {Destination: "rel", Type: "tmpfs"},
		" : destination is not an absolute path":                                 {Type: "tmpfs"},
		` /vol/../../x: destination goes through ".."`:                           {Destination: "/vol/../../x", Type: "tmpfs"},
		" /: a mount over the root":                                              {Destination: "/", Type: "tmpfs"},
		" //./: a mount over the root":                                           {Destination: "//./", Type: "tmpfs"},
		" /vol: type is missing":                                                 {Destination: "/vol"},
		" /vol: source: stat /nosuch: no such file":                              {Destination: "/vol", Source: "/nosuch", Options: []string{"bind"}},
		` /vol: option "readonly" has no meaning for a bind mount`:               bound("readonly"),
		` /vol: option "sync" has no meaning for a bind mount`:                   bound("sync"),
		` /vol: option "move" is not offered`:                                    bound("move"),
		` /vol: option "=x" has no name`:                                         {Destination: "/vol", Type: "tmpfs", Options: []string{"=x"}},
		` /dev: option "size" would change the file system`:                      {Destination: "/dev", Type: "tmpfs", Options: []string{"remount", "size=1"}},
		" /vol: uidMappings, gidMappings, idmap and ridmap are offered for bind": mapped(specs.Mount{Destination: "/vol", Type: "tmpfs"}, ids, ids),
		" /vol: uidMappings and gidMappings come together":                       mapped(bound(), ids, nil),
		" /vol: idmap needs uidMappings":                                         bound("idmap"),
		" /vol: uidMappings: 341 mappings, of which":                             mapped(bound("idmap"), many, ids),
		" /vol: gidMappings: the container id 9 is in two":                       mapped(bound("idmap"), ids, append(ids, specs.LinuxIDMapping{ContainerID: 9, HostID: 500, Size: 2})),
		" /vol: uidMappings[0]: its size is zero":                                mapped(bound(), []specs.LinuxIDMapping{{Size: 0}}, ids),
		" /vol: uidMappings[0]: 4294967295 ids from 1":                           mapped(bound(), []specs.LinuxIDMapping{{ContainerID: 1, Size: 1<<32 - 1}}, ids),
		" /vol: tmpcopyup is for a tmpfs":                                        bound("tmpcopyup"),
		" /sys/x: tmpcopyup below another mount, mounts[3] /sys, is":             {Destination: "/sys/x", Type: "tmpfs", Options: []string{"tmpcopyup"}},
		" /proc: source /etc is not the root of a proc":                          {Destination: "/proc", Source: "/etc", Options: []string{"bind"}},
		" /proc/: source /proc/sys is not the root of a proc":                    {Destination: "/proc/", Source: "/proc/sys", Options: []string{"bind"}},
		" /proc: type is not proc":                                               {Destination: "/proc", Type: "tmpfs"},
		" /sys: type is not sysfs":                                               {Destination: "/sys", Type: "tmpfs"},
		" /sys: source /tmp is not the root of a sysfs":                          {Destination: "/sys", Source: "/tmp", Options: []string{"rbind"}},
		" /proc/self/attr: it is inside /proc":                                   {Destination: "/proc/self/attr", Type: "tmpfs"},
		" /proc//sys/kernel/: it is inside /proc":                                {Destination: "/proc//sys/kernel/", Source: "/tmp", Options: []string{"bind"}},
	} {
		b.spec.Mounts = append(defaultSpec().Mounts, m)
		require.Contains(t, b.createFails(b.id("bad")), "runc.init.mounts: mounts[7]"+want)
		require.NoDirExists(t, b.root) // refused before anything was made
	}
	// These only the kernel knows. What was made by then is undone.
	for want, m := range map[string]specs.Mount{
		" /mnt: fsopen: no such device":            {Destination: "/mnt", Type: "nosuchfs"},
		" /mnt: fsconfig: invalid argument":        {Destination: "/mnt", Type: "tmpfs", Options: []string{"size=many"}},
		" /etc/passwd: openat2: not a directory":   {Destination: "/etc/passwd", Type: "tmpfs"},
		" /bin: move_mount: ":                      {Destination: "/bin", Source: "/etc/passwd", Options: []string{"bind"}},
		" /loop/x: openat2: too many levels of":    {Destination: "/loop/x", Type: "tmpfs"},
		" /into/self/attr: check: too many levels": {Destination: "/into/self/attr", Type: "tmpfs"},
		" /into: check: too many levels of":        {Destination: "/into", Type: "tmpfs"},
	} {
		for link, to := range map[string]string{"loop": "loop", "into": "/proc"} {
			os.Symlink(to, b.bundle+"/rootfs/"+link)
		}
		b.spec.Mounts = append(defaultSpec().Mounts, m)
		require.Contains(t, b.createFails(b.id("bad")), "runc.init.mounts: mounts[7]"+want)
		b.noneLeft()
	}
}
