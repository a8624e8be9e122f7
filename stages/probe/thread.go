package probe

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// thread runs f on a thread of its own that has entered new namespaces, and throws the thread away, the namespaces with it. A thread can leave
// all of its process's namespaces but the user's (unshare(2)).
func thread(flags int, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the Go runtime ends the thread with the goroutine
		if flags != 0 {
			if err := unix.Unshare(unix.CLONE_FS | flags); err != nil {
				done <- named("unshare", err)
				return
			}
		}
		if flags&unix.CLONE_NEWNS != 0 {
			// Nothing that is mounted here may be seen outside (mount_namespaces(7)).
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				done <- named("mount", err)
				return
			}
		}
		done <- f()
	}()
	return <-done
}
