package rootfs

import (
	"fmt"
	"path"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// standard are the devices that every container has (OCI runtime-spec, config-linux.md, default devices). Numbers:
// Linux Documentation/admin-guide/devices.txt.
var standard = []struct {
	path         string
	major, minor uint32
}{
	{"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7}, {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
}

// links are the symbolic links of a usual /dev.
var links = []struct{ target, name string }{
	{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
}

// OwnDev reports whether /dev is the container's own. If the host's was bound there, nothing is made in it.
func OwnDev(mounts []specs.Mount) bool {
	for _, m := range mounts {
		if o, _ := parseOptions(m.Options); relative(m.Destination) == "dev" && !o.remount && (o.bind || m.Type == "bind") {
			return false
		}
	}
	return true
}

// Devices appends the rows that make the device nodes and links. The umask must be 0. In a user namespace no node can be made: the host's
// are bound, and so must be what is asked for.
func Devices(p *linux.Program, root *int32, extra []specs.LinuxDevice, userNamespace bool) error {
	named := map[string]bool{}
	for i, d := range extra {
		types := map[string]uint32{"c": unix.S_IFCHR, "u": unix.S_IFCHR, "b": unix.S_IFBLK, "p": unix.S_IFIFO}
		typ, ok := types[d.Type]
		if !ok || !path.IsAbs(d.Path) {
			return &stages.Error{Step: stages.RuncInitDevices, Kind: stages.Invalid, Thing: fmt.Sprintf("linux.devices[%d] %s", i, d.Path), Err: fmt.Errorf("type %q, path %q", d.Type, d.Path), Hint: "type is c, b, u or p, and the path absolute"}
		}
		field := fmt.Sprintf("linux.devices[%d] %s", i, d.Path)
		if userNamespace && d.Type != "p" {
			if err := sameOnHost(d, typ); err != nil {
				return &stages.Error{Step: stages.RuncInitDevices, Kind: stages.Unsupported, Thing: field, Err: err, Hint: "in a user namespace the host's node of that path is bound"}
			}
		}
		mode, uid, gid := uint32(0o666), 0, 0
		if d.FileMode != nil {
			mode = uint32(*d.FileMode) & 0o7777
		}
		if d.UID != nil {
			uid = int(*d.UID)
		}
		if d.GID != nil {
			gid = int(*d.GID)
		}
		named[path.Clean(d.Path)] = true
		if userNamespace && d.Type != "p" {
			bindDevice(p, root, field, d.Path)
			continue
		}
		device(p, root, field, d.Path, typ|mode, unix.Mkdev(uint32(d.Major), uint32(d.Minor)), uid, gid)
	}
	for _, d := range standard {
		if userNamespace && !named[d.path] {
			bindDevice(p, root, "", d.path)
		} else if !named[d.path] {
			device(p, root, "", d.path, unix.S_IFCHR|0o666, unix.Mkdev(d.major, d.minor), 0, 0)
		}
	}
	p.At(stages.RuncInitDevices, "/dev")
	if userNamespace {
		p.At(stages.None, "links in /dev") // no node is made, and none is claimed
	}
	dev := reach(p, root, "/dev", true)
	for _, l := range links {
		p.Do(linux.Symlinkat(l.target, linux.FD(dev), l.name).Or(unix.EEXIST))
	}
	return nil
}

// sameOnHost holds a device against the host's node of the same path: type, numbers, and the mode and owner if they are asked for.
func sameOnHost(d specs.LinuxDevice, typ uint32) error {
	var st unix.Stat_t
	if err := unix.Lstat(d.Path, &st); err != nil {
		return fmt.Errorf("the host's: %w", err)
	}
	switch {
	case st.Mode&unix.S_IFMT != typ || uint64(st.Rdev) != unix.Mkdev(uint32(d.Major), uint32(d.Minor)):
		return fmt.Errorf("the host's is another device, %d:%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
	case d.FileMode != nil && uint32(*d.FileMode)&0o7777 != st.Mode&0o7777:
		return fmt.Errorf("the host's has mode %o, not %o", st.Mode&0o7777, uint32(*d.FileMode)&0o7777)
	case d.UID != nil && *d.UID != st.Uid, d.GID != nil && *d.GID != st.Gid:
		return fmt.Errorf("the host's belongs to %d:%d", st.Uid, st.Gid)
	}
	return nil
}

// device appends the rows of one node. Where mknod(2) is refused (a cgroup's rule) the host's node is bound instead, and stays whose it is.
func device(p *linux.Program, root *int32, field, name string, mode uint32, dev uint64, uid, gid int) {
	p.At(stages.RuncInitDevices, name)
	p.For(field)
	dir := reach(p, root, path.Dir(path.Clean(name)), true)
	base := path.Base(name)
	chown := []linux.Row{}
	if uid != 0 || gid != 0 {
		chown = append(chown, linux.Fchownat(linux.FD(dir), base, uid, gid))
	}
	p.Do(linux.Mknodat(linux.FD(dir), base, mode, dev).Or(unix.EPERM, unix.EEXIST).Skip(3, 0))
	p.Do(bound(dir, name, len(chown))...)
	p.Do(chown...)
}

// bindDevice appends the rows that bind the host's node. It is a mount, and is claimed as one.
func bindDevice(p *linux.Program, root *int32, field, name string) {
	p.At(stages.RuncInitMounts, name)
	p.For(field)
	dir := reach(p, root, path.Dir(path.Clean(name)), true)
	p.Do(bound(dir, name, 0)...)
}

// bound are the rows that bind the host's node of that name in dir; after it, skip rows are left out. An entry that is there already stays.
func bound(dir *int32, name string, skip int) []linux.Row {
	file, clone := linux.Cell(-1), linux.Cell(-1)
	return []linux.Row{
		linux.Openat(linux.FD(dir), path.Base(name), unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, file).Or(unix.EEXIST).Skip(0, 2),
		linux.OpenTree(linux.Cwd(), name, unix.OPEN_TREE_CLONE, clone),
		linux.MoveMount(linux.FD(clone), linux.FD(file)).Skip(skip, 0),
	}
}
