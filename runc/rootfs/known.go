package rootfs

import (
	"maps"
	"slices"
)

// words are the mount options of the specification that no table of ours holds: the parser alone knows them (OCI runtime-spec, config.md,
// "Linux mount options").
var words = []string{
	"acl", "async", "bind", "defaults", "idmap", "iversion", "loud", "noacl", "noiversion", "nolazytime", "nomand", "rbind", "remount",
	"ridmap", "silent", "tmpcopyup",
}

// KnownOptions are the mount options that are understood here, and not passed on to the file system as its own.
func KnownOptions() []string {
	candidates := slices.Concat(words, superblock, slices.Collect(maps.Keys(attributes)), slices.Collect(maps.Keys(propagations)))
	for _, o := range slices.Clone(candidates) {
		candidates = append(candidates, "r"+o) // the same for all that is below
	}
	slices.Sort(candidates)
	return slices.DeleteFunc(slices.Compact(candidates), func(option string) bool {
		o, err := parseOptions([]string{option})
		return err != nil || len(o.data) > 0
	})
}
