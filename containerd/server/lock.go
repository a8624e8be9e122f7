package server

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"hull/stages"
	"hull/stages/instance"
)

// takeLock takes RUN/hull-containerd.pid, which one process of an instance holds while it lives (docs/seams.md, section 5). The kernel
// gives the lock free when the process ends, however it ends (flock(2)): a stale file is no obstacle.
func takeLock(inst instance.Instance) (*os.File, error) {
	path := inst.PIDFile("hull-containerd")
	if err := os.MkdirAll(inst.Run, 0o700); err != nil {
		return nil, err
	}
	// 0600 and no O_TRUNC: until the lock is ours, what stands in it is another's.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		text, _ := os.ReadFile(path)
		f.Close()
		pid, _, _ := strings.Cut(string(text), "\n")
		return nil, &stages.Error{
			Kind: stages.Conflict, Thing: path, Err: fmt.Errorf("a hull-containerd of this instance is running, pid %s", pid),
			Hint: "use it, or choose another --root",
		}
	}
	if err := f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "%d\n%s\n", os.Getpid(), inst.ContainerdSocket())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
