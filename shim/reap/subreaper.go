package reap

import "golang.org/x/sys/unix"

// Subreaper makes the calling process the one to which orphans among its descendants go.
//
// Why now: before the runtime runs. `runc create` leaves its child, the container, behind on purpose; the kernel gives an orphan to the
// nearest ancestor with this mark, and to pid 1 if there is none. Without it the container would be init's child, and its exit status
// init's secret. The mark is not inherited by children. prctl(2), PR_SET_CHILD_SUBREAPER, Linux 3.4.
func Subreaper() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}
