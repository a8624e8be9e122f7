package rootfs

import (
	"path/filepath"

	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Root appends the rows that make the root file system a mount of its own, and returns the cell of its descriptor: pivot_root(2) wants
// a mount, and a copy of one can be changed without touching the original.
func (w *Wanted) Root(p *linux.Program) (root *int32) {
	root = linux.Cell(-1)
	p.At(stages.RuncInitMounts, "/")
	place := linux.Cell(-1)
	p.Do(
		linux.Openat(linux.Cwd(), w.root, unix.O_PATH|unix.O_DIRECTORY, place),
		linux.OpenTree(linux.FD(place), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE, root),
		linux.MountSetattr(linux.FD(root), unix.AT_RECURSIVE, unix.MountAttr{Propagation: unix.MS_PRIVATE}),
		linux.MoveMount(linux.FD(root), linux.FD(place)),
	)
	return root
}

// Mount appends the rows of the specification's mounts, in its order. proc is the cell of the container's procfs mount, or nil if the
// specification has none.
func (w *Wanted) Mount(p *linux.Program, root *int32, groups Groups) (proc *int32) {
	for i := range w.mounts {
		m := &w.mounts[i]
		p.At(stages.RuncInitMounts, m.Destination)
		p.For(m.field)
		var mount *int32
		switch {
		case m.remount:
			p.At(stages.None, "remount "+m.Destination) // nothing is mounted, and nothing claimed
			p.For(m.field)
			m.change(p, root)
			continue
		case m.bind:
			mount = m.attachBind(p, root)
		case m.Type == "cgroup" && groups.Unified:
			m.Type = "cgroup2"
			m.attachFilesystem(p, root)
		case m.Type == "cgroup", m.Type == "cgroup2" && !groups.Unified:
			groups.attach(p, root, m)
		default:
			mount = m.attachFilesystem(p, root)
		}
		if dest := relative(m.Destination); dest == "proc" || dest == "sys" {
			w.kernels[dest] = mount
			if m.Type == "proc" && !m.bind {
				proc = mount
			}
		}
	}
	return proc
}

// place appends the rows that open where the mount is to be, and make it where it is missing.
func (m *mount) place(p *linux.Program, root *int32) (target *int32) {
	target = reach(p, root, m.Destination, m.isDir)
	if rel := relative(m.Destination); resolveFlags(rel)&unix.RESOLVE_NO_SYMLINKS == 0 {
		notProcfs(p, target)
	}
	return target
}

// change appends the rows of a remount. What is not named stays as it is, as in mount(8): nothing that an earlier mount of the
// specification closed is opened by the way.
func (m *mount) change(p *linux.Program, root *int32) {
	target := linux.Cell(-1)
	p.Do(open(root, m.Destination, 0, target))
	m.adjust(p, target)
}

// adjust appends the rows that give a mount its attributes and its propagation. On a copy nobody sees it before; mount_setattr(2) on
// a place where no mount is fails with EINVAL.
func (o *options) adjust(p *linux.Program, mount *int32) {
	if o.set|o.clear != 0 {
		p.Do(linux.MountSetattr(linux.FD(mount), 0, unix.MountAttr{Attr_set: o.set, Attr_clr: o.clear}))
	}
	if o.setBelow|o.clrBelow != 0 {
		p.Do(linux.MountSetattr(linux.FD(mount), unix.AT_RECURSIVE, unix.MountAttr{Attr_set: o.setBelow, Attr_clr: o.clrBelow}))
	}
	for _, g := range o.propagation {
		p.Do(g.row(mount))
	}
}

// copySource appends the row of a detached copy of a bind mount's source.
func (m *mount) copySource(p *linux.Program) (clone *int32) {
	clone = linux.Cell(-1)
	flags := uint(unix.OPEN_TREE_CLONE)
	if m.recursive {
		flags |= unix.AT_RECURSIVE
	}
	p.Do(linux.OpenTree(linux.Cwd(), m.source, flags, clone))
	return clone
}

// attachBind appends the rows of a bind mount: a detached copy of the source, changed while nobody sees it, then moved to the target.
func (m *mount) attachBind(p *linux.Program, root *int32) (clone *int32) {
	clone = m.made
	if clone == nil {
		clone = m.copySource(p)
	}
	m.adjust(p, clone)
	target := m.place(p, root)
	p.Do(linux.MoveMount(linux.FD(clone), linux.FD(target)))
	return clone
}

// attachFilesystem appends the rows of a new file system: opened, configured, made, and only then attached (fsopen(2)): no half-configured
// mount is ever visible, and no path is walked twice.
func (m *mount) attachFilesystem(p *linux.Program, root *int32) (mount *int32) {
	o := m.options
	var image unix.Stat_t
	keepMode, readonly := m.Type == "tmpfs" && !m.given("mode"), uint64(0)
	if keepMode {
		// A tmpfs over a directory of the image has its mode, as runc does it: the image's /run is not open to all.
		there := linux.Cell(-1)
		image.Mode = 0o1777 // the kernel's own default
		p.Do(open(root, m.Destination, unix.O_DIRECTORY, there).Or(unix.ENOENT).Skip(0, 1), linux.Fstat(linux.FD(there), &image))
		readonly = (o.set | o.setBelow) & unix.MOUNT_ATTR_RDONLY
		o.set, o.setBelow = o.set&^readonly, o.setBelow&^readonly
	}
	target := m.place(p, root)
	switch {
	case m.made != nil:
		mount, o.clear, o.clrBelow = m.made, 0, 0
		o.adjust(p, mount)
	case m.Type == "sysfs" && m.own() == "":
		mount = newSysfs(p, o)
	default:
		mount = newFilesystem(p, m.Type, m.Source, o)
	}
	if keepMode {
		p.Do(linux.Fchmodat(linux.FD(mount), ".", &image.Mode))
	}
	if readonly != 0 {
		p.Do(linux.MountSetattr(linux.FD(mount), 0, unix.MountAttr{Attr_set: readonly}))
	}
	p.Do(linux.MoveMount(linux.FD(mount), linux.FD(target)))
	return mount
}

// newSysfs is newFilesystem for sysfs, which shows the network namespace's devices and so is refused to a user namespace that does not own
// that (sysfs(5), EPERM): there a copy of the host's is what can be had.
func newSysfs(p *linux.Program, o options) (mount *int32) {
	fs, source := linux.Cell(-1), "sysfs"
	mount = linux.Cell(-1)
	p.Do(
		linux.Fsopen("sysfs", fs).Or(unix.EPERM).Skip(0, 3),
		linux.Fsconfig(linux.FD(fs), "source", &source),
		linux.FsCreate(linux.FD(fs)),
		linux.Fsmount(linux.FD(fs), o.set|o.setBelow, mount).Or(unix.EPERM).Skip(2, 0),
		linux.OpenTree(linux.Cwd(), "/sys", unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE, mount),
		linux.MountSetattr(linux.FD(mount), unix.AT_RECURSIVE, unix.MountAttr{Attr_set: o.set | o.setBelow}),
	)
	for _, g := range o.propagation {
		p.Do(g.row(mount))
	}
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
	for _, flag := range o.superblock {
		p.Do(linux.Fsconfig(linux.FD(fs), flag, nil))
	}
	attrs := o.set | o.setBelow
	if attrs&unix.MOUNT_ATTR_RDONLY != 0 && filepath.IsAbs(source) {
		p.Do(linux.Fsconfig(linux.FD(fs), "ro", nil)) // a disk is not written to at all, not even its journal
	}
	p.Do(
		linux.FsCreate(linux.FD(fs)),
		linux.Fsmount(linux.FD(fs), attrs, mount),
		linux.Close(linux.FD(fs)),
	)
	for _, g := range o.propagation {
		p.Do(g.row(mount))
	}
	return mount
}
