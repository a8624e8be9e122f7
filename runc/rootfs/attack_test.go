package rootfs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The attacks are numbered as in docs/attacks.md. Each fails with the word "breached", which the Weakened ones look for.

var past = time.Unix(1e9, 0)

// breached fails the test: the attacker has what it wants.
func breached(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Fatalf("breached: "+format, args...)
}

// unharmed looks at the canary: the same names, bytes, mode, owner and times.
func (v *victim) unharmed() {
	v.t.Helper()
	entries, err := os.ReadDir(v.canary)
	require.NoError(v.t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != 1 {
		breached(v.t, "made on the host: %q", names)
	}
	text, err := os.ReadFile(v.canary + "/file")
	require.NoError(v.t, err)
	var st unix.Stat_t
	require.NoError(v.t, unix.Stat(v.canary+"/file", &st))
	if string(text) != "untouched" || st.Mode != unix.S_IFREG|0o640 || st.Uid != 0 || st.Gid != 0 || st.Mtim.Sec != past.Unix() {
		breached(v.t, "changed on the host: %q %#o %d:%d %d", text, st.Mode, st.Uid, st.Gid, st.Mtim.Sec)
	}
}

// rounds is how often the victim runs at least: more in the long form.
func rounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("HULL_ATTACK_ROUNDS"))
	if os.Getenv("HULL_ATTACK_ROUNDS") == "" {
		return 40
	}
	require.NoError(t, err)
	return n
}

// race lets the victim make file systems while the attacker exchanges two paths, the first of which is good, and looks at each that is
// made. It goes on until the set-up has met either path, the good one and the attacker's, which it refuses, in one round of ten; or until
// the rounds are ten times as many.
func (v *victim) race(good, evil string, look func(*box)) { v.raceEither(good, evil, true, look) }

// raceMade is the same for a path that the set-up must not even ask for: it meets neither, and refuses nothing.
func (v *victim) raceMade(good, evil string, look func(*box)) { v.raceEither(good, evil, false, look) }

func (v *victim) raceEither(one, other string, refuses bool, look func(*box)) {
	t := v.t
	var swaps atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := unix.Renameat2(unix.AT_FDCWD, one, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE); err != nil {
				t.Errorf("renameat2: %v", err)
				return
			}
			swaps.Add(1)
		}
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	least := rounds(t)
	made, refused, n := 0, 0, 0
	for ; n < least || refuses && (made < least/10 || refused < least/10) && n < 10*least; n++ {
		b, err := v.make()
		var errno unix.Errno
		switch {
		case err == nil:
			made++
			func() {
				defer b.end()
				look(b)
			}()
		case errors.As(err, &errno) && slices.Contains([]unix.Errno{unix.ELOOP, unix.ENOENT, unix.ENOTDIR, unix.EXDEV, unix.EAGAIN}, errno):
			refused++
		default:
			require.NoError(t, err)
		}
		v.unharmed()
	}
	t.Logf("%d rounds: %d made, %d refused; %d swaps", n, made, refused, swaps.Load())
	require.GreaterOrEqual(t, swaps.Load(), int64(10*n), "the attacker was too slow: this was no race")
	require.NotZero(t, made, "the attacker met every round")
	require.Equal(t, refuses, refused > 0, "rounds that met the attacker's path")
}

// link makes a symbolic link.
func link(t *testing.T, target, name string) string {
	t.Helper()
	require.NoError(t, os.Symlink(target, name))
	return name
}

// dir makes a directory.
func dir(t *testing.T, name string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(name, 0o755))
	return name
}

// refuses makes a file system that must be refused with one of the errors.
func (v *victim) refuses(what string, errnos ...error) {
	v.t.Helper()
	b, err := v.make()
	if err == nil {
		b.end()
		breached(v.t, "%s: it was made", what)
	}
	for _, e := range errnos {
		if errors.Is(err, e) {
			v.unharmed()
			return
		}
	}
	breached(v.t, "%s: it went on, up to %v", what, err)
}

// CVE-2021-30465: a container that shares a volume with the new one exchanges the directory in it that is mounted on for a link to the
// host.
func TestAttack09MountTarget(t *testing.T) {
	onSharedHost(t, func() {
		v, vol := newVictim(t), t.TempDir()
		v.with(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"rbind"}})
		v.with(specs.Mount{Destination: "/vol/sub", Type: "tmpfs", Source: "attacked"})
		before := hostMounts(t)
		v.race(dir(t, vol+"/sub"), link(t, v.canary, vol+"/evil"), func(b *box) {
			there := b.on(t, "/vol/sub", "/vol/evil")
			if len(there) != 1 || there[0].source != "attacked" {
				breached(t, "the mount is not where it was asked for, but: %v", mountsOf(t, b.pid))
			}
		})
		require.Equal(t, before, hostMounts(t))
	})
}

// CVE-2019-19921, CVE-2023-27561, CVE-2023-28642: the image's /proc or /sys is a link, or becomes one in time.
func TestAttack10FakeProc(t *testing.T) {
	onSharedHost(t, func() {
		for _, name := range []string{"proc", "sys"} {
			for _, target := range []string{"/tmp/p", "tmp/p", "../../../../../../../../../tmp/p"} {
				v := newVictim(t)
				v.with(specs.Mount{Destination: "/sys", Type: "sysfs"})
				dir(t, v.image+"/tmp/p")
				require.NoError(t, os.Remove(filepath.Join(v.image, name)))
				link(t, target, filepath.Join(v.image, name))
				v.refuses("/"+name+" -> "+target, unix.ELOOP)
			}
		}
		v := newVictim(t)
		v.race(v.image+"/proc", link(t, v.canary, v.image+"/evil"), func(b *box) {
			there := b.on(t, "/proc", "/evil")
			if len(there) != 1 || there[0].fstype != "proc" || there[0].root != "/" {
				breached(t, "/proc is no procfs: %v", there)
			}
		})
	})
}

// CVE-2019-16884: a volume over /proc, over something in it, or over /sys; or a link in the image that leads a volume there.
func TestAttack11VolumeOverProc(t *testing.T) {
	onSharedHost(t, func() {
		for _, to := range []string{"/proc", "/proc/", "//proc/./", "/proc/self", "/proc/self/attr", "/proc/sys", "/proc/sysrq-trigger", "/sys"} {
			for _, m := range []specs.Mount{{Type: "tmpfs"}, {Source: "/tmp", Options: []string{"rbind"}}} {
				m.Destination = to
				v := newVictim(t).with(m)
				if b, err := v.make(); err == nil {
					b.end()
					breached(t, "%s over %s", m.Type, to)
				} else {
					require.ErrorContains(t, err, "it would hide the kernel's")
				}
			}
		}
		for _, to := range []string{"/proc", "proc/self", "/proc/sys/kernel"} {
			v := newVictim(t).with(specs.Mount{Destination: "/into", Type: "tmpfs"})
			link(t, to, v.image+"/into")
			v.refuses("a link to "+to, unix.ELOOP)
		}
		v := newVictim(t).with(specs.Mount{Destination: "/proc/uptime", Source: "/etc/hostname", Options: []string{"bind"}})
		b, err := v.make()
		require.NoError(t, err, "what lxcfs does")
		b.end()
	})
}

// CVE-2025-31133: while paths are masked, the /dev/null of a shared /dev is exchanged for a link to a file of procfs, which would then be
// bound, writable, over the path.
func TestAttack12NullWhileMasking(t *testing.T) {
	onSharedHost(t, func() {
		v, vol := newVictim(t), t.TempDir()
		v.ownDev = false
		v.spec.Mounts[1] = specs.Mount{Destination: "/dev", Source: vol, Options: []string{"rbind"}}
		dir(t, vol+"/pts")
		dir(t, vol+"/shm")
		require.NoError(t, unix.Mknod(vol+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		// Who resolves it meets the attacker's file, and does not fail: so both ends of the race are rounds that were made.
		met := link(t, "/proc/sys/kernel/core_pattern", vol+"/evil")
		core, err := os.ReadFile("/proc/sys/kernel/core_pattern")
		require.NoError(t, err)
		v.raceMade(vol+"/null", met, func(b *box) {
			for _, masked := range []string{"/proc/keys", "/proc/timer_list", "/proc/version"} {
				there := b.on(t, masked)
				if len(there) != 1 || there[0].root != "/null" || there[0].fstype != "devtmpfs" && there[0].fstype != "tmpfs" {
					breached(t, "%s is covered by %v", masked, there)
				}
				var st unix.Stat_t
				require.NoError(t, unix.Stat(b.path(masked), &st))
				if st.Mode&unix.S_IFMT != unix.S_IFCHR || uint64(st.Rdev) != unix.Mkdev(1, 3) {
					breached(t, "%s is %#o %#x", masked, st.Mode, st.Rdev)
				}
			}
		})
		// The whole /proc is exchanged for an empty directory, in which there is nothing to mask, and back.
		v = newVictim(t)
		v.raceMade(v.image+"/proc", dir(t, v.image+"/evil"), func(b *box) {
			covers := 0
			for _, m := range mountsOf(t, b.pid) {
				if m.root == "/null" {
					covers++
				}
			}
			if covers != 3 {
				breached(t, "%d of 3 files of /proc are masked: %v", covers, mountsOf(t, b.pid))
			}
		})
		now, err := os.ReadFile("/proc/sys/kernel/core_pattern")
		require.NoError(t, err)
		require.Equal(t, core, now)
	})
}

// CVE-2025-52565: the place of the terminal in a shared /dev is exchanged for a link before the terminal is bound on it.
func TestAttack13Console(t *testing.T) {
	onSharedHost(t, func() {
		v, vol := newVictim(t), t.TempDir()
		v.ownDev, v.terminal = false, true
		v.spec.Mounts[1] = specs.Mount{Destination: "/dev", Source: vol, Options: []string{"rbind"}}
		dir(t, vol+"/pts")
		dir(t, vol+"/shm")
		require.NoError(t, os.WriteFile(vol+"/console", nil, 0o600))
		v.race(vol+"/console", link(t, v.canary+"/file", vol+"/evil"), func(b *box) {
			console, pts := b.on(t, "/dev/console", "/dev/evil"), b.on(t, "/dev/pts")
			if len(console) != 1 || len(pts) != 1 || console[0].fstype != "devpts" || console[0].device != pts[0].device {
				breached(t, "/dev/console is %v, /dev/pts is %v", console, pts)
			}
		})
	})
}

// CVE-2025-52881: what the runtime writes to procfs is led to a file of the attacker's.
func TestAttack14ProcWrite(t *testing.T) {
	const knob = "/sys/kernel/shm_rmid_forced"
	fake := func(t *testing.T, at string) string {
		dir(t, filepath.Dir(at+knob))
		require.NoError(t, os.WriteFile(at+knob, []byte("fake"), 0o644))
		return at
	}
	check := func(t *testing.T, b *box, fakes ...string) {
		for _, f := range fakes {
			text, err := os.ReadFile(f + knob)
			require.NoError(t, err)
			if string(text) != "fake" {
				breached(t, "a file of the image's took %q", text)
			}
		}
		if b.knob(t) != "1\n" {
			breached(t, "the kernel did not get it")
		}
	}
	onSharedHost(t, func() {
		// The specification mounts no procfs, and the image has something that looks like one.
		v := newVictim(t)
		v.spec.Mounts, v.spec.Linux.Sysctl = v.spec.Mounts[1:], map[string]string{"kernel.shm_rmid_forced": "1"}
		v.spec.Linux.MaskedPaths, v.spec.Linux.ReadonlyPaths = nil, nil
		fake(t, v.image+"/proc")
		b, err := v.make()
		require.NoError(t, err)
		check(t, b, v.image+"/proc")
		b.end()

		// It does mount one, on a directory that is exchanged for a link to such a place.
		v = newVictim(t)
		v.spec.Linux.Sysctl = map[string]string{"kernel.shm_rmid_forced": "1"}
		fakes := []string{fake(t, v.image+"/tmp/fake"), fake(t, v.image+"/proc")}
		evil := link(t, "tmp/fake", v.image+"/evil")
		v.race(v.image+"/proc", evil, func(b *box) {
			if text, err := os.ReadFile(fakes[0] + knob); err != nil || string(text) != "fake" {
				breached(t, "a file of the image's took %q", text)
			}
			if b.knob(t) != "1\n" {
				breached(t, "the kernel did not get it")
			}
		})
	})
}

// knob reads the parameter in the box's ipc namespace, where a thread of ours goes for that.
func (b *box) knob(t *testing.T) (value string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked
		require.NoError(t, unix.Setns(b.pidfd, unix.CLONE_NEWIPC))
		text, err := os.ReadFile("/proc/sys/kernel/shm_rmid_forced")
		require.NoError(t, err)
		value = string(text)
	}()
	<-done
	return value
}

// CVE-2024-45310: while the directories of a mount's target are made, one on the way is exchanged for a link to the host.
func TestAttack15MkdirAll(t *testing.T) {
	onSharedHost(t, func() {
		v, vol := newVictim(t), t.TempDir()
		v.with(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"rbind"}})
		v.with(specs.Mount{Destination: "/vol/a/b/c", Type: "tmpfs", Source: "attacked"})
		real, evil := dir(t, vol+"/a"), link(t, v.canary, vol+"/evil")
		v.race(real, evil, func(b *box) {
			if there := b.on(t, "/vol/a/b/c", "/vol/evil/b/c"); len(there) != 1 {
				breached(t, "the mount is not where it was asked for, but: %v", mountsOf(t, b.pid))
			}
			unix.PidfdSendSignal(b.pidfd, unix.SIGKILL, nil, 0) // so that the directories can go, and the next round makes them anew
			for _, d := range []string{real, evil} {
				if st, err := os.Lstat(d); err == nil && st.IsDir() {
					os.RemoveAll(d + "/b")
				}
			}
		})
	})
}

// CVE-2026-41579, CVE-2026-47766: the image's /dev is a link to the host, or what is below it.
func TestAttack16DevLink(t *testing.T) {
	onSharedHost(t, func() {
		up := strings.Repeat("../", 30)
		for name, change := range map[string]func(*victim){
			"with a tmpfs on /dev": func(v *victim) {},
			"without":              func(v *victim) { v.spec.Mounts = v.spec.Mounts[:1] },
		} {
			for _, target := range []string{"", up[:len(up)-1]} {
				v := newVictim(t)
				change(v)
				require.NoError(t, os.Remove(v.image+"/dev"))
				link(t, target+v.canary, v.image+"/dev")
				v.refuses("/dev -> the canary, "+name, unix.ELOOP)
			}
		}
		for _, name := range []string{"pts", "shm", "mqueue"} {
			v, vol := newVictim(t), t.TempDir()
			v.spec.Mounts[1] = specs.Mount{Destination: "/dev", Source: vol, Options: []string{"rbind"}}
			v.with(specs.Mount{Destination: "/dev/mqueue", Type: "mqueue"})
			link(t, v.canary, filepath.Join(vol, name))
			v.refuses("/dev/"+name+" -> the canary", unix.ELOOP)
		}
		v := newVictim(t)
		v.spec.Mounts = v.spec.Mounts[:1]
		v.race(v.image+"/dev", link(t, v.canary, v.image+"/evil"), func(b *box) {})
	})
}

// runc#2404: what is mounted in the container appears on the host, where it stays.
func TestAttack24MountLeak(t *testing.T) {
	onSharedHost(t, func() {
		v := newVictim(t)
		require.NoError(t, unix.Mount("tmpfs", v.image, "tmpfs", 0, "mode=755")) // a mount of its own, as an overlay is
		for _, d := range []string{"proc", "dev", "vol"} {
			dir(t, filepath.Join(v.image, d))
		}
		source := t.TempDir()
		require.NoError(t, unix.Mount("tmpfs", source, "tmpfs", 0, ""))
		dir(t, source+"/sub")
		v.with(specs.Mount{Destination: "/vol", Source: source, Options: []string{"rbind", "rslave"}})
		v.with(specs.Mount{Destination: "/vol/sub", Type: "tmpfs"})
		before := hostMounts(t)
		for range rounds(t) {
			b, err := v.make()
			during := hostMounts(t)
			if b != nil {
				b.end()
			}
			if !slices.Equal(before, during) || !slices.Equal(before, hostMounts(t)) {
				breached(t, "%d mounts appeared on the host", len(during)-len(before))
			}
			require.NoError(t, err)
		}
	})
}

// The same attacks against a set-up without the protection, trust_weakened.go: each of them is seen to succeed, and so can fail.

func TestAttack09Weakened(t *testing.T) { succeeds(t, "TestAttack09MountTarget") }
func TestAttack10Weakened(t *testing.T) { succeeds(t, "TestAttack10FakeProc") }
func TestAttack11Weakened(t *testing.T) { succeeds(t, "TestAttack11VolumeOverProc") }
func TestAttack12Weakened(t *testing.T) { succeeds(t, "TestAttack12NullWhileMasking") }
func TestAttack13Weakened(t *testing.T) { succeeds(t, "TestAttack13Console") }
func TestAttack14Weakened(t *testing.T) { succeeds(t, "TestAttack14ProcWrite") }
func TestAttack15Weakened(t *testing.T) { succeeds(t, "TestAttack15MkdirAll") }
func TestAttack16Weakened(t *testing.T) { succeeds(t, "TestAttack16DevLink") }
func TestAttack24Weakened(t *testing.T) { succeeds(t, "TestAttack24MountLeak") }

// weakened is this test binary without the protection, built once.
var weakened struct {
	once    sync.Once
	program string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if weakened.program != "" {
		os.RemoveAll(filepath.Dir(weakened.program))
	}
	os.Exit(code)
}

// succeeds runs one of the attacks in the weakened binary, which must say that it was breached.
func succeeds(t *testing.T, attack string) {
	probetest.Need(t, "root")
	weakened.once.Do(func() {
		dir, err := os.MkdirTemp("", "weakened")
		require.NoError(t, err)
		weakened.program = filepath.Join(dir, "rootfs.test")
		text, err := exec.Command("go", "test", "-c", "-tags", "weakened", "-o", weakened.program, ".").CombinedOutput()
		require.NoError(t, err, "%s", text)
	})
	cmd := exec.Command(weakened.program, "-test.run", "^"+attack+"$")
	cmd.Env = append(os.Environ(), "HULL_ATTACK_ROUNDS=")
	text, err := cmd.CombinedOutput()
	require.Error(t, err, "it did not see that the protection is gone")
	require.Contains(t, string(text), "breached: ")
}
