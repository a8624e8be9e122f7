package probe

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func files() topic {
	return topic{"file systems", []probe{
		{"overlay", true, overlay, "no container: its root is an overlay of the image's layers", "modprobe overlay"},
		{"new mount API", true, newMounts, "no container: hull mounts with fsopen, fsmount, open_tree and move_mount", "Linux 5.2, and no filter around hull that refuses these calls"},
		{"mount_setattr", true, mountSetattr, "no container: masked paths and read-only binds are made with it", "Linux 5.12"},
		{"overlay lowerdir+", false, lowerdirPlus, "an image of very many layers may not fit into one mount's options", "Linux 6.5"},
		{"procfs pidns=", false, procPidns, "proc is mounted from inside of the pid namespace, in the older way; nothing else", "Linux 6.17"},
		{"openat2", true, openat2, "no container: paths of images and containers are resolved with it", "Linux 5.6"},
		{"tmpfs, devpts, mqueue", true, smallOnes, "no container: /dev, /dev/pts and /dev/mqueue are these", "a kernel with CONFIG_TMPFS, CONFIG_UNIX98_PTYS and CONFIG_POSIX_MQUEUE"},
		{"device nodes", false, deviceNode, "no container of its own /dev: mknod is refused", "CAP_MKNOD, outside of a user namespace"},
	}}
}

// scratch calls f in a mount namespace of its own with an empty tmpfs as the current directory.
func scratch(f func() error) error {
	return thread(unix.CLONE_NEWNS, func() error {
		if err := unix.Mount("hull-doctor", "/tmp", "tmpfs", 0, ""); err != nil {
			return named("mount tmpfs", err)
		}
		if err := unix.Chdir("/tmp"); err != nil { // the thread's own: unshare(CLONE_FS)
			return named("chdir", err)
		}
		return f()
	})
}

func dirs(names ...string) error {
	for _, name := range names {
		if err := unix.Mkdir(name, 0o755); err != nil {
			return named("mkdir", err)
		}
	}
	return nil
}

func overlay() (string, error) {
	return "", scratch(func() error {
		if err := dirs("low", "up", "work", "all"); err != nil {
			return err
		}
		return named("mount", unix.Mount("overlay", "all", "overlay", 0, "lowerdir=low,upperdir=up,workdir=work"))
	})
}

func newMounts() (string, error) {
	return "", scratch(func() error {
		if err := dirs("here"); err != nil {
			return err
		}
		mnt, err := mounted("tmpfs", nil)
		if err != nil {
			return err
		}
		defer unix.Close(mnt)
		if err := unix.MoveMount(mnt, "", unix.AT_FDCWD, "here", unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return named("move_mount", err)
		}
		copied, err := unix.OpenTree(unix.AT_FDCWD, "here", unix.OPEN_TREE_CLONE)
		if err == nil {
			unix.Close(copied)
		}
		return named("open_tree", err)
	})
}

// mounted makes a mount that is attached nowhere; it is gone when the descriptor is closed.
func mounted(fstype string, options [][2]string) (int, error) {
	fs, err := unix.Fsopen(fstype, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, named("fsopen "+fstype, err)
	}
	defer unix.Close(fs)
	for _, o := range options {
		if err := unix.FsconfigSetString(fs, o[0], o[1]); err != nil {
			return -1, named("fsconfig "+o[0], err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, named("fsconfig create", err)
	}
	mnt, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	return mnt, named("fsmount", err)
}

func mountSetattr() (string, error) {
	return "", scratch(func() error {
		mnt, err := mounted("tmpfs", nil)
		if err != nil {
			return err
		}
		defer unix.Close(mnt)
		return named("mount_setattr", unix.MountSetattr(mnt, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}))
	})
}

func lowerdirPlus() (string, error) {
	return "", scratch(func() error {
		if err := dirs("a", "b", "up", "work"); err != nil {
			return err
		}
		mnt, err := mounted("overlay", [][2]string{{"lowerdir+", "/tmp/a"}, {"lowerdir+", "/tmp/b"}, {"upperdir", "/tmp/up"}, {"workdir", "/tmp/work"}})
		if err == nil {
			unix.Close(mnt)
		}
		return err
	})
}

func procPidns() (string, error) {
	return "", scratch(func() error {
		mnt, err := mounted("proc", [][2]string{{"pidns", "/proc/self/ns/pid"}})
		if err == nil {
			unix.Close(mnt)
		}
		return err
	})
}

func openat2() (string, error) {
	fd, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if err == nil {
		unix.Close(fd)
	}
	return "", named("openat2", err)
}

func smallOnes() (string, error) {
	return "", thread(unix.CLONE_NEWNS|unix.CLONE_NEWIPC, func() error {
		for _, fstype := range []string{"tmpfs", "devpts", "mqueue"} {
			if err := unix.Mount(fstype, "/tmp", fstype, 0, ""); err != nil {
				return named("mount "+fstype, err)
			}
		}
		return nil
	})
}

func deviceNode() (string, error) {
	return "", scratch(func() error {
		if err := unix.Mknod("null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
			return named("mknod", err)
		}
		f, err := os.OpenFile("/tmp/null", os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		return f.Close()
	})
}

// pointer is for the few calls that x/sys has no wrapper for.
func pointer[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
