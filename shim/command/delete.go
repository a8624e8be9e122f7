package command

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hull/shim/reap"
	"hull/shim/runtime"
	"hull/shim/task"
	"hull/shim/wire"
)

// deleteLimit keeps the runtime's part below containerd's patience, which is 5 s for the whole verb.
const deleteLimit = 4 * time.Second

// killed is the status of a container whose shim is gone and which this verb had to end: 128 + SIGKILL.
const killed = 137

// delete cleans up after a serving shim that is gone: whatever is left of the container is killed, its mounts are removed, and its last
// word is printed as a DeleteResponse. containerd runs it whenever it loses the connection to a shim, also after a proper end, so it may
// find nothing to do, and it may run twice.
func (c *call) delete(stdout io.Writer) error {
	exit, recorded := reap.ReadExit(c.bundle)
	if rt, err := runtime.Load(c.bundle); err == nil {
		rt.Reaper = reap.New()
		done := make(chan error, 1)
		go func() { done <- rt.Delete(context.Background(), c.id, true) }()
		select {
		case err := <-done:
			if err != nil {
				slog.Error("delete", "err", err)
			}
		case <-time.After(deleteLimit):
			slog.Error("delete: the runtime does not come to an end")
		}
	}
	if err := task.UnmountRootfs(filepath.Join(c.bundle, "rootfs")); err != nil {
		slog.Error("delete", "err", err)
	}
	if address, err := os.ReadFile(filepath.Join(c.bundle, fileAddress)); err == nil {
		os.Remove(strings.TrimPrefix(string(address), "unix://"))
	}
	if recorded != nil { // the shim died before the container: dockerd needs the pid, or keeps the container for ever
		exit = reap.Exit{PID: reap.ReadInit(c.bundle), Status: killed, At: time.Now()}
	}
	_, err := stdout.Write(wire.Marshal(&wire.DeleteResponse{Pid: uint32(exit.PID), ExitStatus: uint32(exit.Status), ExitedAt: exit.At}))
	return err
}
