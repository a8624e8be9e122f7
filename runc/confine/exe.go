//go:build !weakened

package confine

import (
	"fmt"
	"os"
	"path/filepath"

	"hull/runc/confine/nofile"
	"hull/stages"

	"golang.org/x/sys/unix"
)

// sealed marks an execution of ourselves, so that a failure to seal can never become a loop.
const sealed = "HULL_RUNC_SEALED"

// SealExe makes sure that this process runs from a file that cannot be opened for writing through /proc/PID/exe, by executing it again
// from a detached read-only copy of its mount if need be. It returns only when all is well, or with an error.
//
// The attack (CVE-2019-5736): an image whose program is a script that begins with "#!/proc/self/exe". When the container's first process,
// which is a clone of us, executes it, the kernel runs our binary inside the container, where another process opens it and, when it
// is no longer busy, overwrites it on the host. A read-only mount answers EROFS. A mount of the directory, not of the file, so that the
// name in /proc/PID/exe stays. open_tree(2), mount_setattr(2), execveat(2).
//
// A caller that starts us in that way itself (hull-shim does) saves this second execution.
func SealExe() error {
	fail := func(err error) error {
		return &stages.Error{Step: stages.RuncCreate, Kind: stages.Denied, Thing: "/proc/self/exe", Err: err}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs("/proc/self/exe", &fs); err != nil {
		return fail(fmt.Errorf("statfs: %w", err))
	}
	if fs.Flags&unix.ST_RDONLY != 0 {
		return nil
	}
	if os.Getenv(sealed) != "" {
		return fail(fmt.Errorf("the program's file is still writable through its mount"))
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fail(err)
	}
	dir, err := unix.OpenTree(unix.AT_FDCWD, filepath.Dir(exe), unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fail(fmt.Errorf("open_tree %s: %w", filepath.Dir(exe), err))
	}
	if err := unix.MountSetattr(dir, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fail(fmt.Errorf("mount_setattr: %w", err))
	}
	if o := nofile.Original; o.Max != 0 {
		unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: o.Cur, Max: o.Max}) // the next execution must find the caller's limit, not ours
	}
	return fail(execveat(dir, filepath.Base(exe), os.Args, append(os.Environ(), sealed+"=1")))
}
