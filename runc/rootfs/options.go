package rootfs

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// options are a mount's options, sorted by who takes them: the mount (attributes), its place in the tree (propagation), or the file
// system itself (data).
type options struct {
	bind, recursive   bool
	set, clear        uint64 // MOUNT_ATTR_…, on the mount itself
	setAll, clearAll  uint64 // the same on everything below it as well ("rro")
	propagation       uint64 // MS_PRIVATE and its like, or 0
	propagationBelow  bool
	data              []option
	superblockOptions []string // "sync" and its like: of the file system, not of a bind mount
}

type option struct {
	key   string
	value *string // nil for a flag
}

// attributes are the options that mount_setattr(2) knows. The atime ones are values of one field.
var attributes = map[string]struct{ set, clear uint64 }{
	"ro": {set: unix.MOUNT_ATTR_RDONLY}, "rw": {clear: unix.MOUNT_ATTR_RDONLY},
	"nosuid": {set: unix.MOUNT_ATTR_NOSUID}, "suid": {clear: unix.MOUNT_ATTR_NOSUID},
	"nodev": {set: unix.MOUNT_ATTR_NODEV}, "dev": {clear: unix.MOUNT_ATTR_NODEV},
	"noexec": {set: unix.MOUNT_ATTR_NOEXEC}, "exec": {clear: unix.MOUNT_ATTR_NOEXEC},
	"nodiratime": {set: unix.MOUNT_ATTR_NODIRATIME}, "diratime": {clear: unix.MOUNT_ATTR_NODIRATIME},
	"nosymfollow": {set: unix.MOUNT_ATTR_NOSYMFOLLOW}, "symfollow": {clear: unix.MOUNT_ATTR_NOSYMFOLLOW},
	"noatime":     {set: unix.MOUNT_ATTR_NOATIME, clear: unix.MOUNT_ATTR__ATIME},
	"relatime":    {set: unix.MOUNT_ATTR_RELATIME, clear: unix.MOUNT_ATTR__ATIME},
	"strictatime": {set: unix.MOUNT_ATTR_STRICTATIME, clear: unix.MOUNT_ATTR__ATIME},
	"atime":       {clear: unix.MOUNT_ATTR__ATIME}, "norelatime": {clear: unix.MOUNT_ATTR__ATIME}, "nostrictatime": {clear: unix.MOUNT_ATTR__ATIME},
}

var propagations = map[string]uint64{
	"private": unix.MS_PRIVATE, "shared": unix.MS_SHARED, "slave": unix.MS_SLAVE, "unbindable": unix.MS_UNBINDABLE,
}

var superblock = []string{"sync", "dirsync", "mand", "lazytime"}

// refused are options that other runtimes give a meaning of their own, or that change something else than this mount.
var refused = []string{"remount", "tmpcopyup", "idmap", "ridmap", "move", "loop"}

func parseOptions(list []string) (o options, err error) {
	for _, opt := range list {
		all := strings.TrimPrefix(opt, "r")
		if a, ok := attributes[opt]; ok {
			o.set, o.clear = o.set&^a.clear|a.set, o.clear&^a.set|a.clear
			continue
		}
		if p, ok := propagations[opt]; ok {
			o.propagation = p
			continue
		}
		if a, ok := attributes[all]; ok {
			o.setAll, o.clearAll = o.setAll&^a.clear|a.set, o.clearAll&^a.set|a.clear
			continue
		}
		if p, ok := propagations[all]; ok {
			o.propagation, o.propagationBelow = p, true
			continue
		}
		switch {
		case opt == "bind":
			o.bind = true
		case opt == "rbind":
			o.bind, o.recursive = true, true
		case opt == "defaults", opt == "async", opt == "nomand", opt == "":
			// what the kernel does anyway
		case slices.Contains(superblock, opt):
			o.superblockOptions = append(o.superblockOptions, opt)
		case slices.Contains(refused, opt):
			return o, fmt.Errorf("option %q is not offered", opt)
		default:
			key, value, ok := strings.Cut(opt, "=")
			if ok {
				o.data = append(o.data, option{key, &value})
			} else {
				o.data = append(o.data, option{key, nil})
			}
		}
	}
	return o, nil
}
