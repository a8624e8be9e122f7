package runtime

import (
	"fmt"
	"os"
	"path/filepath"

	"hull/stages"

	"golang.org/x/sys/unix"
)

// programPath is what the kernel is told to execute: our own runtime from a read-only copy of its directory's mount, so that
// /proc/PID/exe of the container's first process, a clone of the runtime, cannot be opened for writing (CVE-2019-5736; runc/confine says
// more). hull-runc started otherwise does the same itself, at the price of a second execution. Where the kernel refuses, and for any
// other runtime, it is the plain path.
func (r *Runtime) programPath() string {
	r.seal.Do(func() {
		if filepath.Base(r.Binary) == stages.Runc.Binary() {
			r.sealed = sealed(r.Binary)
		}
	})
	if r.sealed == "" {
		return r.Binary
	}
	return r.sealed
}

// freeAbove is higher than any descriptor that syscall.ForkExec moves about in the child before it executes the path: it takes the numbers
// right above the three that it is given.
const freeAbove = 1000

// sealed makes the copy and returns the program's path in it, through our own descriptor; "" if it cannot be had. The descriptor stays
// open while this process lives, and is closed by the execution. The directory is copied, not the file, so that the name in /proc/PID/exe
// stays. open_tree(2), Linux 5.2; mount_setattr(2), Linux 5.12.
func sealed(binary string) string {
	binary, err := filepath.EvalSymlinks(binary)
	if err != nil {
		return ""
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, filepath.Dir(binary), unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return ""
	}
	defer unix.Close(tree)
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return ""
	}
	fd, err := unix.FcntlInt(uintptr(tree), unix.F_DUPFD_CLOEXEC, freeAbove)
	if err != nil {
		return ""
	}
	path := fmt.Sprintf("/proc/self/fd/%d/%s", fd, filepath.Base(binary))
	// A file that is a mount of its own is not in the copy; another may be, under it.
	there, err := os.Stat(path)
	if here, herr := os.Stat(binary); err != nil || herr != nil || !os.SameFile(here, there) {
		unix.Close(fd)
		return ""
	}
	return path
}
