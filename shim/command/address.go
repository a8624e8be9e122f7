package command

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// foreignDir holds the sockets of shims that are not part of a hull instance: a real containerd's. A socket's name has at most 107 bytes,
// and a bundle may lie deep, so it is not in the bundle.
const foreignDir = "/run/hull-shim/s"

// instanceRun is the run directory of the hull instance that the bundle is part of, or "". hull-containerd's socket and its bundles are
// in one directory: RUN/containerd.sock, RUN/tasks/NAMESPACE/ID.
func (c *call) instanceRun() string {
	run := filepath.Dir(strings.TrimPrefix(c.grpc, "unix://"))
	if c.grpc != "" && strings.HasPrefix(c.bundle, filepath.Join(run, "tasks")+"/") {
		return run
	}
	return ""
}

// socketDir is where the shim's socket goes: where the caller wants it, the instance's RUN/s, or foreignDir.
func (c *call) socketDir(wanted string) string {
	if wanted != "" {
		return wanted
	}
	if run := c.instanceRun(); run != "" {
		return filepath.Join(run, "s")
	}
	return foreignDir
}

// socketPath names this task's socket: always the same for the same task, so that a second shim for it cannot come up beside the first.
func (c *call) socketPath(dir string) string {
	sum := sha256.Sum256([]byte(filepath.Join(c.grpc, c.namespace, c.id)))
	return filepath.Join(dir, hex.EncodeToString(sum[:20]))
}

// spanSocket is hull-trace's socket: the one we were told, or the instance's.
func (c *call) spanSocket() string {
	if s := os.Getenv("HULL_SPANS"); s != "" {
		return s
	}
	if run := c.instanceRun(); run != "" {
		return filepath.Join(run, "spans.sock")
	}
	return ""
}
