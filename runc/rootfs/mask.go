package rootfs

import (
	"strings"

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
		null(p, root, cover)
		m.nulls = append(m.nulls, cover)
	}
	return m
}

// open is the row that opens a path to be masked. What is below /proc or /sys is the kernel's own: it is found by the descriptor of that
// mount, whatever has the name /proc by now; or who shares the root with the container could have the mask put on something else.
func (w *Wanted) open(root *int32, p string, flags int, out *int32) linux.Row {
	rel := relative(p)
	first, below, _ := strings.Cut(rel, "/")
	if mount := w.kernels[first]; mount != nil && below != "" {
		return linux.Openat2(linux.FD(mount), below, unix.O_PATH|flags, resolveFlags(rel), out)
	}
	return open(root, p, flags, out)
}

// Apply appends the rows that cover each path that is there.
func (w *Wanted) Apply(p *linux.Program, root *int32, m *Masks) {
	for i, path := range m.paths {
		p.At(stages.RuncInitMaskedPaths, path)
		target, fs, tmpfs := linux.Cell(-1), linux.Cell(-1), linux.Cell(-1)
		p.Do(
			w.open(root, path, unix.O_DIRECTORY, target).Or(unix.ENOTDIR, unix.ENOENT).Skip(2, 0),
			w.open(root, path, 0, target).Or(unix.ENOENT, unix.ENOTDIR).Skip(0, 5).Absent(),
			linux.MoveMount(linux.FD(m.nulls[i]), linux.FD(target)).Skip(4, 0),
			linux.Fsopen("tmpfs", fs),
			linux.FsCreate(linux.FD(fs)),
			linux.Fsmount(linux.FD(fs), unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC, tmpfs),
			linux.MoveMount(linux.FD(tmpfs), linux.FD(target)),
		)
	}
}

// ReadonlyPaths appends the rows that make each path that is there read-only: a read-only bind mount of it on itself.
func (w *Wanted) ReadonlyPaths(p *linux.Program, root *int32, paths []string) {
	for _, path := range paths {
		p.At(stages.RuncInitMaskedPaths, path)
		target, clone := linux.Cell(-1), linux.Cell(-1)
		p.Do(
			w.open(root, path, 0, target).Or(unix.ENOENT, unix.ENOTDIR).Skip(0, 3).Absent(),
			linux.OpenTree(linux.FD(target), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.AT_RECURSIVE, clone),
			linux.MountSetattr(linux.FD(clone), unix.AT_RECURSIVE, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}),
			linux.MoveMount(linux.FD(clone), linux.FD(target)),
		)
	}
}
