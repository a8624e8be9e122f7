package rootfs

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// options are a mount's options, sorted by who takes them: the mount (attributes), its place in the tree (propagation), the runtime (bind
// and its like), or the file system itself (data).
type options struct {
	bind, recursive    bool
	remount            bool // no new mount: the one that is there changes
	idmap, idmapBelow  bool
	copyUp             bool
	set, clear         uint64 // MOUNT_ATTR_…, on the mount itself
	setBelow, clrBelow uint64 // the same, on everything below it as well ("rro")
	propagation        []propagation
	data               []option
	superblock         []string // "sync" and its like: of the file system, not of a bind mount
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

// superblock are the flags of a file system that fsconfig(2) takes by these names for every type.
var superblock = []string{"sync", "dirsync", "mand", "lazytime"}

// usual are the options that ask for what the kernel does anyway.
var usual = []string{"", "defaults", "async", "nomand", "nolazytime", "noiversion", "loud", "silent"}

// refused are options of mount(8) that mean something else than one mount of the container.
var refused = []string{"move", "loop"}

// parseOptions reads the list (OCI runtime-spec, config.md, Linux mount options). Of two that contradict each other the later one wins, as
// in mount(8). What is unknown is the file system's own, which the kernel refuses by name.
func parseOptions(list []string) (o options, err error) {
	for _, opt := range list {
		one, below := opt, strings.TrimPrefix(opt, "r")
		switch {
		case has(attributes, one):
			a := attributes[one]
			o.set, o.clear = o.set&^a.clear|a.set, o.clear&^a.set|a.clear
		case has(propagations, one):
			o.propagation = append(o.propagation, propagations[one])
		case has(attributes, below):
			a := attributes[below]
			o.setBelow, o.clrBelow = o.setBelow&^a.clear|a.set, o.clrBelow&^a.set|a.clear
		case one == "bind":
			o.bind = true
		case one == "rbind":
			o.bind, o.recursive = true, true
		case one == "remount":
			o.remount = true
		case one == "idmap":
			o.idmap = true
		case one == "ridmap":
			o.idmap, o.idmapBelow = true, true
		case one == "tmpcopyup":
			o.copyUp = true
		case slices.Contains(usual, one):
		case slices.Contains(superblock, one):
			o.superblock = append(o.superblock, one)
		case slices.Contains(refused, one):
			return o, fmt.Errorf("option %q is not offered", one)
		case strings.HasPrefix(one, "="):
			return o, fmt.Errorf("option %q has no name", one)
		default:
			key, value, ok := strings.Cut(one, "=")
			if ok {
				o.data = append(o.data, option{key, &value})
			} else {
				o.data = append(o.data, option{key, nil})
			}
		}
	}
	return o, nil
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// own is the first option that only a file system could take, or "".
func (o *options) own() string {
	for _, d := range o.data {
		return d.key
	}
	for _, s := range o.superblock {
		return s
	}
	return ""
}

// given reports whether the file system gets the option.
func (o *options) given(key string) bool {
	return slices.ContainsFunc(o.data, func(d option) bool { return d.key == key })
}
