package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

// tmpfsPoint reads a --tmpfs DIR[:OPTIONS].
func tmpfsPoint(dir, options string) (p point, err error) {
	p = point{plain: true, MountPoint: container.MountPoint{Type: mount.TypeTmpfs, RW: true, Source: "tmpfs"}}
	if p.Destination, err = destination(dir); err != nil {
		return p, invalid("%w", err)
	}
	p.options, err = tmpfsOptions(options)
	return p, err
}

// tmpfsMount completes a --mount type=tmpfs.
func tmpfsMount(p point, m mount.Mount) (point, error) {
	var options []string
	if m.ReadOnly {
		options = append(options, "ro")
	}
	if o := m.TmpfsOptions; o != nil {
		if o.Mode != 0 {
			options = append(options, fmt.Sprintf("mode=%o", uint32(o.Mode)))
		}
		if o.SizeBytes < 0 {
			return p, invalid("invalid mount config for type \"tmpfs\": invalid size %d", o.SizeBytes)
		}
		if o.SizeBytes > 0 {
			options = append(options, "size="+sizeText(o.SizeBytes))
		}
		for _, option := range o.Options {
			options = append(options, strings.Join(option, "="))
		}
	}
	var err error
	p.Source = "tmpfs"
	p.options, err = tmpfsOptions(strings.Join(options, ","))
	return p, err
}

// sizeText is a number of bytes with the largest unit that fits, as docker's daemon writes it.
func sizeText(n int64) string {
	unit := ""
	for _, u := range []string{"k", "m", "g"} {
		if n%1024 != 0 {
			break
		}
		n, unit = n/1024, u
	}
	return strconv.FormatInt(n, 10) + unit
}

// tmpfsFlags are the options without a value that a tmpfs may have; those of one line exclude each other.
var tmpfsFlags = [][]string{
	{"ro", "rw"},
	{"suid", "nosuid"},
	{"dev", "nodev"},
	{"exec", "noexec"},
	{"sync", "async"},
	{"dirsync"},
	{"remount"},
	{"mand", "nomand"},
	{"atime", "noatime"},
	{"diratime", "nodiratime"},
	{"relatime", "norelatime"},
	{"strictatime", "nostrictatime"},
	{"bind", "rbind"},
	{"unbindable", "runbindable", "private", "rprivate", "shared", "rshared", "slave", "rslave"},
}

// tmpfsValues are those with a value (tmpfs(5)).
var tmpfsValues = []string{"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"}

// tmpfsRefused would make it another kind of mount.
var tmpfsRefused = []string{"bind", "rbind", "remount", "shared", "rshared", "unbindable", "runbindable"}

// tmpfsOptions are the spec's: docker's defaults and then the user's, of which the last of a kind counts.
func tmpfsOptions(user string) ([]string, error) {
	options := []string{"noexec", "nosuid", "nodev", "rprivate"}
	if user != "" {
		options = append(options, strings.Split(user, ",")...)
	}
	var kept []string
	seen := map[string]bool{}
	for _, option := range slices.Backward(options) {
		kind, _, hasValue := strings.Cut(option, "=")
		if option == "" || option == "defaults" {
			continue
		}
		known := hasValue && slices.Contains(tmpfsValues, kind)
		for _, group := range tmpfsFlags {
			if !hasValue && slices.Contains(group, option) {
				kind, known = group[0], true
			}
		}
		switch {
		case !known:
			return nil, invalid("Invalid tmpfs option %q", strings.SplitN(option, "=", 2))
		case slices.Contains(tmpfsRefused, option):
			return nil, unsupported("Tmpfs: option "+strconv.Quote(option), "leave it out")
		case seen[kind]:
			continue
		}
		seen[kind] = true
		kept = append(kept, option)
	}
	slices.Reverse(kept)
	return kept, nil
}
