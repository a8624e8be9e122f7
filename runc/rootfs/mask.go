package rootfs

import (
	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Masks hides paths. A file is covered by the host's /dev/null, a directory by an empty read-only tmpfs.
type Masks struct {
	paths []string
	nulls []*int32
}

// PrepareMasks appends the rows that take the covers, one per path because a mount can be attached once. They must run before the
// pivot: after it the host's /dev/null has no path.
func PrepareMasks(p *linux.Program, root *int32, paths []string) *Masks {
	m := &Masks{paths: paths}
	p.At(stages.None, "")
	for range paths {
		cover := linux.Cell(-1)
		p.Do(null(root, cover))
		m.nulls = append(m.nulls, cover)
	}
	return m
}

// Apply appends the rows that cover each path that is there.
func (m *Masks) Apply(p *linux.Program, root *int32) {
	for i, path := range m.paths {
		p.At(stages.RuncInitMaskedPaths, path)
		target, fs, tmpfs := linux.Cell(-1), linux.Cell(-1), linux.Cell(-1)
		p.Do(
			open(root, path, unix.O_DIRECTORY, target).Or(unix.ENOTDIR, unix.ENOENT).Skip(2, 0),
			open(root, path, 0, target).Or(unix.ENOENT, unix.ENOTDIR).Skip(0, 5).Absent(),
			linux.MoveMount(linux.FD(m.nulls[i]), linux.FD(target)).Skip(4, 0),
			linux.Fsopen("tmpfs", fs),
			linux.FsCreate(linux.FD(fs)),
			linux.Fsmount(linux.FD(fs), unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC, tmpfs),
			linux.MoveMount(linux.FD(tmpfs), linux.FD(target)),
		)
	}
}

// ReadonlyPaths appends the rows that make each path that is there read-only: a read-only bind mount of it on itself.
func ReadonlyPaths(p *linux.Program, root *int32, paths []string) {
	for _, path := range paths {
		p.At(stages.RuncInitMaskedPaths, path)
		target, clone := linux.Cell(-1), linux.Cell(-1)
		p.Do(
			open(root, path, 0, target).Or(unix.ENOENT, unix.ENOTDIR).Skip(0, 3).Absent(),
			linux.OpenTree(linux.FD(target), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE, clone),
			linux.MountSetattr(linux.FD(clone), unix.AT_RECURSIVE, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}),
			linux.MoveMount(linux.FD(clone), linux.FD(target)),
		)
	}
}
