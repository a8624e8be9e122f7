package rootfs

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/containerd/containerd/api/types"
	"golang.org/x/sys/unix"
)

// A Bind is a directory or file of the host that the container sees at a target.
type Bind struct {
	Source, Target string
	ReadOnly       bool
}

// Stopped mounts the root of a container that does not run: its snapshot, as containerd says how, and its binds in it. dir is any empty
// directory of ours; nobody else ever sees anything on it.
func Stopped(mounts []*types.Mount, binds []Bind, dir string) (*Root, error) {
	return onThread(func() (*Root, error) {
		// A mount namespace of this thread's own (unshare(2); CLONE_FS first, threads share their root directory otherwise). Private:
		// what is mounted here does not spread to the machine's namespace (mount_namespaces(7)).
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			return nil, fmt.Errorf("unshare: %w", err)
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return nil, fmt.Errorf("make mounts private: %w", err)
		}
		for _, m := range mounts {
			flags, data := mountOptions(m.Options)
			if err := unix.Mount(m.Source, dir, m.Type, flags, data); err != nil {
				return nil, fmt.Errorf("mount %s: %w", m.Type, err)
			}
		}
		root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		r := &Root{root}
		defer r.Close()
		for _, b := range binds {
			if err := r.bind(b); err != nil {
				return nil, fmt.Errorf("bind %s: %w", b.Target, err)
			}
		}
		return cloneTree(dir, unix.AT_RECURSIVE)
	})
}

// Alone is the root file system of a running container without what is mounted on it: not a second overlay over the same directories, which
// overlayfs.rst calls undefined, but one more mount of the one that is there.
func Alone(pid int) (*Root, error) {
	return onThread(func() (*Root, error) {
		ns, err := unix.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		defer unix.Close(ns)
		if err := unix.Unshare(unix.CLONE_FS); err != nil { // setns(2) refuses a thread that shares its root directory
			return nil, fmt.Errorf("unshare: %w", err)
		}
		if err := unix.Setns(ns, unix.CLONE_NEWNS); err != nil {
			return nil, fmt.Errorf("setns: %w", err)
		}
		return cloneTree("/", 0)
	})
}

// onThread runs f on a thread that ends with it: the thread's namespaces are no place for any other goroutine.
func onThread(f func() (*Root, error)) (*Root, error) {
	type answer struct {
		root *Root
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the Go runtime ends such a thread with its goroutine
		root, err := f()
		answers <- answer{root, err}
	}()
	a := <-answers
	return a.root, a.err
}

// cloneTree makes a copy of the mounts at dir that is attached nowhere and lives as long as its descriptor (open_tree(2), Linux 5.2).
func cloneTree(dir string, flags uint) (*Root, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, dir, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|flags)
	if err != nil {
		return nil, fmt.Errorf("open_tree: %w", err)
	}
	return &Root{fd}, nil
}

// bind mounts a source of the host on a target that is resolved inside the root. A target that is not there yet is made at the container's
// start, and has nothing to show before.
func (r *Root) bind(b Bind) error {
	target, err := r.open(b.Target, unix.O_PATH)
	if IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(target)
	at := fmt.Sprintf("/proc/thread-self/fd/%d", target)
	if err := unix.Mount(b.Source, at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if !b.ReadOnly {
		return nil
	}
	mounted, err := r.open(b.Target, unix.O_PATH) // the descriptor from before names what is below the mount
	if err != nil {
		return err
	}
	defer unix.Close(mounted)
	return unix.Mount("", fmt.Sprintf("/proc/thread-self/fd/%d", mounted), "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
}

// mountOptions sorts a snapshot's options into mount(2)'s flags and the file system's own.
func mountOptions(options []string) (flags uintptr, data string) {
	var rest []string
	for _, o := range options {
		switch o {
		case "ro":
			flags |= unix.MS_RDONLY
		case "rw":
		case "bind":
			flags |= unix.MS_BIND
		case "rbind":
			flags |= unix.MS_BIND | unix.MS_REC
		default:
			rest = append(rest, o)
		}
	}
	return flags, strings.Join(rest, ",")
}
