package rootfs

import (
	"hull/runc/linux"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// Pivot appends the rows after which the container's root is "/" and the host's is in no path any more. pivot_root(2) with the same
// directory twice stacks the old root on the new one; unmounting "." takes it away, with all that is below (MNT_DETACH).
func Pivot(p *linux.Program, root *int32) {
	p.At(stages.RuncInitPivotRoot, "")
	p.Do(
		linux.Fchdir(linux.FD(root)),
		linux.PivotRoot(".", "."),
		linux.Umount(".", unix.MNT_DETACH),
		linux.Chdir("/"),
	)
}

// Readonly appends the row that makes the root mount read-only. The file system below it, which others may share, stays as it is.
func Readonly(p *linux.Program, root *int32) {
	p.At(stages.RuncInitMaskedPaths, "/")
	p.Do(linux.MountSetattr(linux.FD(root), 0, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}))
}
