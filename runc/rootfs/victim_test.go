package rootfs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"hull/runc/linux"
	"hull/runc/process"
	"hull/runc/rootfs"
	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A victim makes the file systems of containers: the part of the set-up that is this package's, in the order of runc/container, by the
// same child. It is many times faster than whole containers, and so is the race against it.
type victim struct {
	t        *testing.T
	image    string
	spec     *specs.Spec
	ownDev   bool // device nodes are made in /dev
	terminal bool
	userns   bool   // in a user namespace, which does not own the network it sees
	canary   string // a directory of the host's with one file in it
}

// newVictim makes an image and a specification as docker's, without cgroups and sysfs.
func newVictim(t *testing.T) *victim {
	v := &victim{t: t, ownDev: true, image: t.TempDir(), canary: t.TempDir()}
	for _, d := range []string{"proc", "sys", "dev", "tmp", "vol"} {
		require.NoError(t, os.Mkdir(filepath.Join(v.image, d), 0o755))
	}
	require.NoError(t, os.WriteFile(v.canary+"/file", []byte("untouched"), 0o640))
	require.NoError(t, os.Chtimes(v.canary+"/file", past, past))
	usual := []string{"nosuid", "noexec", "nodev"}
	v.spec = &specs.Spec{
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Options: usual},
			{Destination: "/dev", Type: "tmpfs", Options: []string{"nosuid", "mode=755"}},
			{Destination: "/dev/pts", Type: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666"}},
			{Destination: "/dev/shm", Type: "tmpfs", Options: usual},
		},
		Linux: &specs.Linux{
			MaskedPaths:   []string{"/proc/keys", "/proc/timer_list", "/proc/version", "/proc/scsi"},
			ReadonlyPaths: []string{"/proc/sys"},
		},
	}
	return v
}

// with adds a mount at the end.
func (v *victim) with(m specs.Mount) *victim {
	v.spec.Mounts = append(v.spec.Mounts, m)
	return v
}

// A box is a file system that has been made, seen by a process that waits in it.
type box struct{ pid, pidfd, wait int }

// make makes one. An error is a refusal, by Parse or by a row of the child's.
func (v *victim) make() (b *box, err error) {
	t := v.t
	files, err := rootfs.Parse(v.spec, v.image, v.image)
	if err != nil {
		return nil, err
	}
	if err := files.Make(); err != nil {
		return nil, err
	}
	var report, wait [2]int
	require.NoError(t, unix.Pipe2(report[:], unix.O_CLOEXEC))
	require.NoError(t, unix.Pipe2(wait[:], unix.O_CLOEXEC))
	sockets, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	for _, fd := range []int{report[0], wait[0], sockets[0], sockets[1]} {
		defer unix.Close(fd)
	}

	p := linux.New(report[1])
	p.Do(linux.Umask(0))
	files.Tie(p)
	files.Cut(p)
	root := files.Root(p)
	files.Mount(p, root, rootfs.Groups{})
	proc := rootfs.PrivateProc(p, root)
	masks := rootfs.PrepareMasks(p, root, v.spec.Linux.MaskedPaths)
	if v.ownDev {
		require.NoError(t, rootfs.Devices(p, root, v.spec.Linux.Devices, false))
	}
	if v.terminal {
		process.Console(p, root, sockets[0], nil, 0, func(path string) *int32 { return rootfs.File(p, root, path) })
	}
	rootfs.Pivot(p, root)
	files.ReadonlyPaths(p, root, v.spec.Linux.ReadonlyPaths)
	files.Apply(p, root, masks)
	files.Propagate(p, root)
	own := map[specs.LinuxNamespaceType]bool{specs.IPCNamespace: true}
	require.NoError(t, rootfs.Sysctls(p, proc, own, v.spec.Linux.Sysctl))
	p.Do(p.Ready(), linux.Close(linux.Num(wait[1])), linux.Read(linux.Num(wait[0])), linux.GiveUp(unix.ECANCELED))

	b = &box{wait: wait[1]}
	flags := uint64(unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC)
	if v.userns {
		flags |= unix.CLONE_NEWUSER
	}
	b.pid, b.pidfd, err = p.Spawn(flags, -1)
	unix.Close(report[1])
	require.NoError(t, err)
	r, ok, err := linux.ReadReport(report[0])
	require.NoError(t, err)
	require.True(t, ok, "the child ended without a report")
	if !r.Ready {
		b.end()
		return nil, fmt.Errorf("%s %s: %w", p.Rows[r.Row].Instance, p.Rows[r.Row].Name, r.Errno)
	}
	return b, nil
}

// end ends the process, and with it the last view of the file system.
func (b *box) end() {
	unix.PidfdSendSignal(b.pidfd, unix.SIGKILL, nil, 0)
	linux.Retry(func() (int, error) { return unix.Wait4(b.pid, nil, 0, nil) })
	unix.Close(b.pidfd)
	unix.Close(b.wait)
}

// path is a path inside, as it can be opened from outside.
func (b *box) path(p string) string { return fmt.Sprintf("/proc/%d/root%s", b.pid, p) }

// A mounted is one line of mountinfo (proc(5)).
type mounted struct{ device, root, point, fstype, source string }

// mountsOf are the mounts of a process's mount namespace: a pid, or "thread-self".
func mountsOf(t *testing.T, pid any) (list []mounted) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%v/mountinfo", pid))
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		before, after, ok := strings.Cut(line, " - ")
		require.True(t, ok, line)
		f, g := strings.Fields(before), strings.Fields(after)
		list = append(list, mounted{f[2], f[3], f[4], g[0], g[1]})
	}
	return list
}

// hostMounts are the mounts of the thread's namespace that are no other tests' own.
func hostMounts(t *testing.T) []mounted {
	return slices.DeleteFunc(mountsOf(t, "thread-self"), func(m mounted) bool {
		return strings.HasPrefix(m.point, os.TempDir()+"/") && !strings.Contains(m.point, t.Name())
	})
}

// on are the mounts at one of the points: a mount moves with the directory that it is on, if that gets another name.
func (b *box) on(t *testing.T, points ...string) (list []mounted) {
	for _, m := range mountsOf(t, b.pid) {
		if slices.Contains(points, m.point) {
			list = append(list, m)
		}
	}
	return list
}

// onSharedHost runs f on a thread in a mount namespace of its own, in which everything is shared, as systemd has it: what leaks stays in
// there, and ends with the thread. It is not the process's first, which could not end.
func onSharedHost(t *testing.T, f func()) {
	probetest.Need(t, "root")
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			onSharedHost(t, f)
			runtime.UnlockOSThread()
			return
		}
		require.NoError(t, unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS))
		require.NoError(t, unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
		require.NoError(t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""))
		f()
	}()
	<-done
}
