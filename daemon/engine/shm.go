package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An ipc namespace has System V's objects and POSIX message queues in it; POSIX shared memory are files in /dev/shm (shm_overview(7)). To
// share the one without the other would be half a thing, so containers that share the namespace share that file system too. A mount is
// needed that both can have: the daemon makes it, at the donor's start, and takes it away at its end.

// shm is the host's path of the container's /dev/shm, or "" if it has one of its own, which the runtime makes.
func (e *Engine) shm(rec *store.Record) string {
	switch mode := rec.HostConfig.IpcMode; {
	case mode.IsHost():
		return "/dev/shm"
	case mode.IsShareable():
		return filepath.Join(e.store.Dir(rec), "shm")
	}
	for _, j := range spec.Joins(rec.HostConfig) {
		if c, err := e.registry.find(j.Container); err == nil && j.Type == specs.IPCNamespace {
			donor := c.Record()
			return filepath.Join(e.store.Dir(&donor), "shm")
		}
	}
	return ""
}

// makeShm mounts a shareable container's memory.
func (e *Engine) makeShm(rec *store.Record) error {
	if !rec.HostConfig.IpcMode.IsShareable() {
		return nil
	}
	dir := e.shm(rec)
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		// mount(2): with the options of every container's /dev/shm. The size is what keeps it from being all of the machine's memory.
		err = unix.Mount("shm", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, fmt.Sprintf("mode=1777,size=%d", rec.HostConfig.ShmSize))
	}
	if err != nil {
		return &stages.Error{Step: stages.DaemonTaskCreate, Thing: dir, Err: fmt.Errorf("shared memory: %w", err)}
	}
	return nil
}

// dropShm unmounts it, if it is there. Who has joined keeps what he has: the file system lives until its last mount goes (umount2(2),
// MNT_DETACH).
func (e *Engine) dropShm(rec *store.Record) {
	if !rec.HostConfig.IpcMode.IsShareable() {
		return
	}
	dir := e.shm(rec)
	if err := unix.Unmount(dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		logError("shared memory", rec.ID, err)
	}
}
