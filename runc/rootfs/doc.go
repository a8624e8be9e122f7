// Package rootfs writes the rows that build the container's view of the file system: mounts, devices, the root itself, and what is
// masked in it. runc/container calls it in order: [Parse] checks what is asked for, [Wanted.Make] makes the two kinds of mounts that the
// child could not (idmapped ones, and those with a copy of the image's files), and all else are rows: Tie, Cut, Root, Mount, the devices,
// [Pivot], the masks, Propagate.
//
// The root file system is hostile: an image may hold a symbolic link wherever a directory is expected. So no path inside it is ever
// walked by the kernel from the host's root: each is opened beneath the root's descriptor by openat2(2) with RESOLVE_IN_ROOT and
// RESOLVE_NO_MAGICLINKS, and what is mounted there is moved from descriptor to descriptor. Below /dev, /proc and /sys no link is
// followed at all. trust.go has these rules in one place; attack_test.go has the attacks that would succeed without them. The errors
// that a reader may meet: ELOOP (a link where none may be), ENOTDIR (a file where a directory must be).
package rootfs
