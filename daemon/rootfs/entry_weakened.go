//go:build weakened

// This file is never built but by a test: with -tags weakened a protection is missing, and the test of the attack must see it (docs/attacks.md).

package rootfs

import "golang.org/x/sys/unix"

// openEntry first looks whether the name is a link, and then opens it: between the two it may have become one.
func openEntry(dir int, base string) (fd int, err error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return -1, err
	}
	flags := unix.O_PATH | unix.O_CLOEXEC
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		flags |= unix.O_NOFOLLOW
	}
	return unix.Openat(dir, base, flags, 0)
}
