package task

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"hull/shim/wire"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// A mountOption is one word of a mount's option list that is a flag of mount(2) and not data for the file system.
type mountOption struct {
	flag  uintptr
	clear bool
}

var mountOptions = map[string]mountOption{
	"async": {unix.MS_SYNCHRONOUS, true}, "atime": {unix.MS_NOATIME, true}, "bind": {unix.MS_BIND, false}, "defaults": {0, false},
	"dev": {unix.MS_NODEV, true}, "diratime": {unix.MS_NODIRATIME, true}, "dirsync": {unix.MS_DIRSYNC, false}, "exec": {unix.MS_NOEXEC, true},
	"mand": {unix.MS_MANDLOCK, false}, "noatime": {unix.MS_NOATIME, false}, "nodev": {unix.MS_NODEV, false},
	"nodiratime": {unix.MS_NODIRATIME, false}, "noexec": {unix.MS_NOEXEC, false}, "nomand": {unix.MS_MANDLOCK, true},
	"norelatime": {unix.MS_RELATIME, true}, "nostrictatime": {unix.MS_STRICTATIME, true}, "nosuid": {unix.MS_NOSUID, false},
	"rbind": {unix.MS_BIND | unix.MS_REC, false}, "relatime": {unix.MS_RELATIME, false}, "remount": {unix.MS_REMOUNT, false},
	"ro": {unix.MS_RDONLY, false}, "rw": {unix.MS_RDONLY, true}, "strictatime": {unix.MS_STRICTATIME, false}, "suid": {unix.MS_NOSUID, true},
	"sync": {unix.MS_SYNCHRONOUS, false},
}

// MountRootfs mounts the snapshot's mounts onto target, one on the other. On an error nothing stays mounted.
//
// Why here: the shim outlives its supervisor and is there when the container is gone, so it is the one that unmounts. The runtime only
// finds a directory.
func MountRootfs(mounts []*wire.Mount, target string) (err error) {
	defer func() {
		if err != nil {
			UnmountRootfs(target)
		}
	}()
	if len(mounts) > 0 {
		if err := os.Mkdir(target, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
			return rootfsError(target, err)
		}
	}
	for _, m := range mounts {
		if m.Target != "" {
			return &stages.Error{
				Step: stages.ShimRootfsMount, Kind: stages.Unsupported, Thing: m.Target,
				Err: errors.New("a mount below the root file system is not offered"), Hint: "put it into the spec's mounts",
			}
		}
		if err := mountOne(m, target); err != nil {
			return rootfsError(m.Type+" on "+target, err)
		}
	}
	return nil
}

func mountOne(m *wire.Mount, target string) error {
	var flags uintptr
	var data []string
	for _, o := range m.Options {
		known, ok := mountOptions[o]
		switch {
		case !ok:
			data = append(data, o)
		case known.clear:
			flags &^= known.flag
		default:
			flags |= known.flag
		}
	}
	text := strings.Join(data, ",")
	// mount(2) copies one page of data, its NUL included. A longer list of layers goes piece by piece.
	if m.Type == "overlay" && len(text) >= os.Getpagesize() {
		return mountLongOverlay(flags, data, target)
	}
	if err := unix.Mount(m.Source, target, m.Type, flags, text); err != nil {
		return err
	}
	if flags&unix.MS_BIND != 0 && flags&unix.MS_RDONLY != 0 {
		// A bind mount ignores all flags but MS_REC at first: read-only needs a second call. mount(2), "Creating a bind mount".
		return unix.Mount("", target, "", flags&^unix.MS_REC|unix.MS_REMOUNT, "")
	}
	return nil
}

// mountLongOverlay mounts an overlay whose layers do not fit on a page: fsconfig(2) takes them one by one ("lowerdir+", Linux 6.5). A
// kernel without that gets the old option with short names: /proc/self/fd/N of descriptors opened on the layers.
func mountLongOverlay(flags uintptr, data []string, target string) error {
	var lower, rest []string
	for _, o := range data {
		if list, ok := strings.CutPrefix(o, "lowerdir="); ok {
			lower = strings.Split(list, ":")
			continue
		}
		rest = append(rest, o)
	}
	var fds []int
	defer func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}()
	short := make([]string, len(lower))
	for i, dir := range lower {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		fds = append(fds, fd)
		short[i] = "/proc/self/fd/" + strconv.Itoa(fd)
	}
	err := fsmountOverlay(flags, lower, short, rest, target)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		text := strings.Join(append([]string{"lowerdir=" + strings.Join(short, ":")}, rest...), ",")
		if len(text) >= os.Getpagesize() {
			return fmt.Errorf("%d layers are too many for this kernel: %w", len(lower), unix.E2BIG)
		}
		return unix.Mount("overlay", target, "overlay", flags, text)
	}
	return err
}

func fsmountOverlay(flags uintptr, lower, short, rest []string, target string) error {
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fs)
	for i, dir := range lower {
		if len(dir) >= 256 { // fsconfig(2) takes no longer string
			dir = short[i]
		}
		if err := unix.FsconfigSetString(fs, "lowerdir+", dir); err != nil {
			return err
		}
	}
	for _, o := range rest {
		key, value, ok := strings.Cut(o, "=")
		if ok {
			err = unix.FsconfigSetString(fs, key, value)
		} else {
			err = unix.FsconfigSetFlag(fs, key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return err
	}
	attr := 0
	for _, f := range []struct {
		ms   uintptr
		attr int
	}{{unix.MS_RDONLY, unix.MOUNT_ATTR_RDONLY}, {unix.MS_NODEV, unix.MOUNT_ATTR_NODEV}, {unix.MS_NOSUID, unix.MOUNT_ATTR_NOSUID}, {unix.MS_NOEXEC, unix.MOUNT_ATTR_NOEXEC}} {
		if flags&f.ms != 0 {
			attr |= f.attr
		}
	}
	mnt, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attr)
	if err != nil {
		return err
	}
	defer unix.Close(mnt)
	return unix.MoveMount(mnt, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// UnmountRootfs removes every mount on target. Nothing mounted there is success. A mount that somebody still uses is detached: it goes
// with its last user. umount2(2), UMOUNT_NOFOLLOW: target is in a directory that is ours, but a link there must not lead us elsewhere.
func UnmountRootfs(target string) error {
	for {
		err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EBUSY) {
			err = unix.Unmount(target, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH)
		}
		switch {
		case err == nil:
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT):
			return nil
		default:
			return rootfsError(target, err)
		}
	}
}

func rootfsError(thing string, err error) error {
	kind := stages.Internal
	switch {
	case errors.Is(err, os.ErrNotExist):
		kind = stages.NotFound
	case errors.Is(err, unix.EINVAL):
		kind = stages.Invalid
	}
	return &stages.Error{Step: stages.ShimRootfsMount, Kind: kind, Thing: thing, Err: err}
}
