package rootfs

import (
	"hull/runc/linux"

	"golang.org/x/sys/unix"
)

// Groups are the container's cgroups, as it is to see them.
type Groups struct {
	V1      []Hierarchy
	Unified bool // the only hierarchy is v2: cgroup2 is mounted as it is
}

// A Hierarchy is one cgroup directory of the container, to be shown below /sys/fs/cgroup.
type Hierarchy struct {
	Name  string   // the directory it appears as: "memory", "systemd", "unified"
	Dir   string   // the group's directory on the host
	Links []string // other names for it: "cpu" and "cpuacct" for a joint hierarchy
}

// attach appends the rows that show the container its own groups on v1: a tmpfs with one bind mount per hierarchy, as systemd lays them out
// on a host (cgroups(7)). Nothing else can be made in it if it is to be read-only.
func (g Groups) attach(p *linux.Program, root *int32, m *mount) {
	mode := "755"
	readonly := m.set & unix.MOUNT_ATTR_RDONLY
	holder := *m
	holder.Type, holder.Source = "tmpfs", "cgroup"
	holder.options = options{set: m.set &^ unix.MOUNT_ATTR_RDONLY, propagation: m.propagation, data: []option{{"mode", &mode}}}
	dir := holder.attachFilesystem(p, root)
	for _, h := range g.V1 {
		clone, target := linux.Cell(-1), linux.Cell(-1)
		p.Do(
			linux.Mkdirat(linux.FD(dir), h.Name, 0o755),
			linux.Openat2(linux.FD(dir), h.Name, unix.O_PATH|unix.O_DIRECTORY, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS, target),
			linux.OpenTree(linux.Cwd(), h.Dir, unix.OPEN_TREE_CLONE, clone),
			linux.MountSetattr(linux.FD(clone), 0, unix.MountAttr{Attr_set: m.set, Attr_clr: m.clear}),
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
