//go:build !weakened

package confine

import (
	"errors"
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
// An ordinary user may copy no mount (EPERM). Then it is a copy of the file in memory, sealed against writing (memfd_create(2), Linux 3.17),
// which costs as much as the file is long.
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
	if fs.Flags&unix.ST_RDONLY != 0 || fs.Type == unix.TMPFS_MAGIC && isSealed() {
		return nil
	}
	if os.Getenv(sealed) != "" {
		return fail(fmt.Errorf("the program's file is still writable through its mount"))
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fail(err)
	}
	name, flags := filepath.Base(exe), 0
	dir, err := unix.OpenTree(unix.AT_FDCWD, filepath.Dir(exe), unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	switch {
	case errors.Is(err, unix.EPERM):
		name, flags = "", unix.AT_EMPTY_PATH
		if dir, err = sealedCopy(); err != nil {
			return fail(err)
		}
	case err != nil:
		return fail(fmt.Errorf("open_tree %s: %w", filepath.Dir(exe), err))
	default:
		if err := unix.MountSetattr(dir, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
			return fail(fmt.Errorf("mount_setattr: %w", err))
		}
	}
	if o := nofile.Original; o.Max != 0 {
		unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: o.Cur, Max: o.Max}) // the next execution must find the caller's limit, not ours
	}
	return fail(execveat(dir, name, flags, os.Args, append(os.Environ(), sealed+"=1")))
}

// seals are those that keep a file in memory as it is (F_ADD_SEALS, fcntl(2)).
const seals = unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK | unix.F_SEAL_SEAL

// sealedCopy is a copy of our program's file in memory that nobody can change, as a descriptor.
func sealedCopy() (int, error) {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return -1, err
	}
	defer exe.Close()
	const name = "hull-runc"
	fd, err := unix.MemfdCreate(name, unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // MFD_EXEC: Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
	}
	if err != nil {
		return -1, fmt.Errorf("memfd_create: %w", err)
	}
	for {
		n, err := unix.Sendfile(fd, int(exe.Fd()), nil, 1<<30)
		if err != nil && err != unix.EINTR {
			return -1, fmt.Errorf("sendfile: %w", err)
		}
		if err == nil && n == 0 {
			break
		}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return -1, fmt.Errorf("fcntl(F_ADD_SEALS): %w", err)
	}
	return fd, nil
}

// isSealed reports whether our program's file is such a copy.
func isSealed() bool {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return false
	}
	defer exe.Close()
	have, err := unix.FcntlInt(exe.Fd(), unix.F_GET_SEALS, 0)
	return err == nil && have&seals == seals
}
