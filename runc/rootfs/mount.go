package rootfs

import (
	"fmt"
	"os"
	"path/filepath"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A Hierarchy is one cgroup directory of the container, to be shown below /sys/fs/cgroup.
type Hierarchy struct {
	Name  string   // the directory it appears as: "memory", "systemd", "unified"
	Dir   string   // the group's directory on the host
	Links []string // other names for it: "cpu" and "cpuacct" for a joint hierarchy
}

// Base is where the container's root comes from and what its cgroups are.
type Base struct {
	Bundle  string // sources of bind mounts are relative to it
	V1      []Hierarchy
	Unified bool           // the only hierarchy is v2: cgroup2 is mounted as it is
	Sources map[int]*int32 // the sources of bind mounts that have been taken already: see [Sources]
}

// Root appends the rows that make the root file system a mount of its own, and returns the cell of its descriptor: pivot_root(2) wants
// a mount, and a copy of one can be changed without touching the original.
func Root(p *linux.Program, path, propagation string) (root *int32, err error) {
	flags := map[string]uint{
		"": unix.MS_REC | unix.MS_PRIVATE, "private": unix.MS_PRIVATE, "rprivate": unix.MS_REC | unix.MS_PRIVATE,
		"slave": unix.MS_SLAVE, "rslave": unix.MS_REC | unix.MS_SLAVE,
	}
	flag, ok := flags[propagation]
	if !ok {
		return nil, &stages.Error{Step: stages.RuncInitPropagation, Kind: stages.Unsupported, Thing: "linux.rootfsPropagation", Err: fmt.Errorf("%q is not offered", propagation), Hint: "use private or slave"}
	}
	// A new mount namespace still shares events with the one it was copied from (mount_namespaces(7)): cut that first, or each
	// mount below appears on the host. Always recursive: a mount that stayed shared would leak.
	p.At(stages.RuncInitPropagation, "")
	p.Do(linux.Mount("/", flag|unix.MS_REC))

	root = linux.Cell(-1)
	p.At(stages.RuncInitMounts, "/")
	place := linux.Cell(-1)
	p.Do(
		linux.Openat(linux.Cwd(), path, unix.O_PATH|unix.O_DIRECTORY, place),
		linux.OpenTree(linux.FD(place), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE, root),
		linux.MountSetattr(linux.FD(root), unix.AT_RECURSIVE, unix.MountAttr{Propagation: unix.MS_PRIVATE}),
		linux.MoveMount(linux.FD(root), linux.FD(place)),
	)
	return root, nil
}

// Mounts appends the rows of the specification's mounts, in its order. proc is the cell of the container's procfs mount, or nil if the
// specification has none.
func Mounts(p *linux.Program, root *int32, base Base, mounts []specs.Mount) (proc *int32, err error) {
	for i, m := range mounts {
		field := fmt.Sprintf("mounts[%d] %s", i, m.Destination)
		refuse := func(kind stages.Kind, err error) (*int32, error) {
			return nil, &stages.Error{Step: stages.RuncInitMounts, Kind: kind, Thing: field, Err: err}
		}
		switch {
		case !filepath.IsAbs(m.Destination):
			return refuse(stages.Invalid, fmt.Errorf("destination is not an absolute path"))
		case relative(m.Destination) == ".":
			return refuse(stages.Unsupported, fmt.Errorf("a mount over the root is not offered"))
		case len(m.UIDMappings) > 0 || len(m.GIDMappings) > 0:
			return refuse(stages.Unsupported, fmt.Errorf("uidMappings and gidMappings are not offered"))
		}
		o, err := parseOptions(m.Options)
		if err != nil {
			return refuse(stages.Unsupported, err)
		}
		p.At(stages.RuncInitMounts, m.Destination)
		switch {
		case o.bind || m.Type == "bind":
			if len(o.data) > 0 || len(o.superblockOptions) > 0 {
				return refuse(stages.Invalid, fmt.Errorf("option %q has no meaning for a bind mount", append(keys(o.data), o.superblockOptions...)[0]))
			}
			if err := bind(p, root, base, i, m, o); err != nil {
				return refuse(stages.NotFound, err)
			}
		case m.Type == "cgroup" && !base.Unified, m.Type == "cgroup2" && !base.Unified:
			cgroups(p, root, base, m, o)
		case m.Type == "cgroup":
			m.Type = "cgroup2"
			fallthrough
		case m.Type != "":
			mount := filesystem(p, root, m, o)
			if m.Type == "proc" && relative(m.Destination) == "proc" {
				proc = mount
			}
		default:
			return refuse(stages.Invalid, fmt.Errorf("type is missing"))
		}
	}
	return proc, nil
}

func keys(data []option) (ks []string) {
	for _, d := range data {
		ks = append(ks, d.key)
	}
	return ks
}

// filesystem appends the rows of a new file system: opened, configured, made, and only then attached (fsopen(2)): no half-configured
// mount is ever visible, and no path is walked twice.
func filesystem(p *linux.Program, root *int32, m specs.Mount, o options) (mount *int32) {
	target := reach(p, root, m.Destination, true)
	mount = newFilesystem(p, m.Type, m.Source, o)
	p.Do(linux.MoveMount(linux.FD(mount), linux.FD(target)))
	return mount
}

// newFilesystem appends the rows up to a mount that is attached nowhere.
func newFilesystem(p *linux.Program, fstype, source string, o options) (mount *int32) {
	fs := linux.Cell(-1)
	mount = linux.Cell(-1)
	if source == "" {
		source = fstype
	}
	p.Do(linux.Fsopen(fstype, fs), linux.Fsconfig(linux.FD(fs), "source", &source))
	for _, d := range o.data {
		p.Do(linux.Fsconfig(linux.FD(fs), d.key, d.value))
	}
	for _, flag := range o.superblockOptions {
		p.Do(linux.Fsconfig(linux.FD(fs), flag, nil))
	}
	p.Do(
		linux.FsCreate(linux.FD(fs)),
		linux.Fsmount(linux.FD(fs), o.set|o.setAll, mount),
		linux.Close(linux.FD(fs)),
	)
	if o.propagation != 0 {
		p.Do(linux.MountSetattr(linux.FD(mount), 0, unix.MountAttr{Propagation: o.propagation}))
	}
	return mount
}

// Sources appends the rows that take the sources of all bind mounts, before the process becomes somebody who may not go there. The keys
// are the mounts' places in the list.
func Sources(p *linux.Program, base Base, mounts []specs.Mount) (map[int]*int32, error) {
	taken := map[int]*int32{}
	for i, m := range mounts {
		o, err := parseOptions(m.Options)
		if err != nil {
			return nil, &stages.Error{Step: stages.RuncInitMounts, Kind: stages.Unsupported, Thing: fmt.Sprintf("mounts[%d] %s", i, m.Destination), Err: err}
		}
		if o.bind || m.Type == "bind" {
			p.At(stages.None, "source "+base.source(m))
			taken[i] = take(p, base, m, o)
		}
	}
	return taken, nil
}

// source is the path of a bind mount's source.
func (base Base) source(m specs.Mount) string {
	if filepath.IsAbs(m.Source) {
		return m.Source
	}
	return filepath.Join(base.Bundle, m.Source)
}

// take appends the row of a detached copy of the source.
func take(p *linux.Program, base Base, m specs.Mount, o options) (clone *int32) {
	clone = linux.Cell(-1)
	flags := uint(unix.OPEN_TREE_CLONE)
	if o.recursive {
		flags |= unix.AT_RECURSIVE
	}
	p.Do(linux.OpenTree(linux.Cwd(), base.source(m), flags, clone))
	return clone
}

// bind appends the rows of a bind mount: a detached copy of the source, changed while nobody sees it, then moved to the target.
func bind(p *linux.Program, root *int32, base Base, i int, m specs.Mount, o options) error {
	st, err := os.Stat(base.source(m)) // a file is mounted on a file
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	clone := base.Sources[i]
	if clone == nil {
		clone = take(p, base, m, o)
	}
	if o.set|o.clear != 0 {
		p.Do(linux.MountSetattr(linux.FD(clone), 0, unix.MountAttr{Attr_set: o.set, Attr_clr: o.clear}))
	}
	if o.setAll|o.clearAll != 0 {
		p.Do(linux.MountSetattr(linux.FD(clone), unix.AT_RECURSIVE, unix.MountAttr{Attr_set: o.setAll, Attr_clr: o.clearAll}))
	}
	if o.propagation != 0 {
		below := uint(0)
		if o.propagationBelow {
			below = unix.AT_RECURSIVE
		}
		p.Do(linux.MountSetattr(linux.FD(clone), below, unix.MountAttr{Propagation: o.propagation}))
	}
	target := reach(p, root, m.Destination, st.IsDir())
	p.Do(linux.MoveMount(linux.FD(clone), linux.FD(target)))
	return nil
}

// cgroups appends the rows that show the container its own groups: on v1 a tmpfs with one bind mount per hierarchy, as systemd lays
// them out on a host (cgroups(7)).
func cgroups(p *linux.Program, root *int32, base Base, m specs.Mount, o options) {
	mode := "755"
	readonly := o.set & unix.MOUNT_ATTR_RDONLY
	holder := m
	holder.Type, holder.Source = "tmpfs", "cgroup"
	dir := filesystem(p, root, holder, options{set: o.set &^ unix.MOUNT_ATTR_RDONLY, data: []option{{"mode", &mode}}})
	for _, h := range base.V1 {
		clone, target := linux.Cell(-1), linux.Cell(-1)
		p.Do(
			linux.Mkdirat(linux.FD(dir), h.Name, 0o755),
			linux.Openat2(linux.FD(dir), h.Name, unix.O_PATH|unix.O_DIRECTORY, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS, target),
			linux.OpenTree(linux.Cwd(), h.Dir, unix.OPEN_TREE_CLONE, clone),
			linux.MountSetattr(linux.FD(clone), 0, unix.MountAttr{Attr_set: o.set, Attr_clr: o.clear}),
			linux.MoveMount(linux.FD(clone), linux.FD(target)),
		)
		for _, link := range h.Links {
			p.Do(linux.Symlinkat(h.Name, linux.FD(dir), link).Or(unix.EEXIST))
		}
	}
	if readonly != 0 {
		p.Do(linux.MountSetattr(linux.FD(dir), 0, unix.MountAttr{Attr_set: readonly}))
	}
}
