// Package bundle knows a task's bundle directory as hull-containerd sees it: it has hull-bundle make it, keeps hull-containerd's own
// few records in it, and removes it.
//
// The task package calls it. It never writes config.json itself: the directory is hull-bundle's work, so that a student's program can
// take that place. A bundle lives at RUN/tasks/NAMESPACE/ID; nothing in it is synced, because it dies with the machine.
package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hull/stages"
	"hull/trace/span"

	"golang.org/x/sys/unix"
)

// timeout is how long hull-bundle may take. It makes three files.
const timeout = 10 * time.Second

// A Maker has bundles made.
type Maker struct {
	Program string // hull-bundle's path
	Root    string // RUN/tasks
	Spans   string // hull-trace's span socket, for the child's environment
}

// A Bundle is the directory of one task.
type Bundle struct{ Dir string }

// Path is where the bundle of a task is. Both names have been validated: neither holds a slash.
func (m *Maker) Path(namespace, id string) string { return filepath.Join(m.Root, namespace, id) }

// Create runs `hull-bundle create` (docs/seams.md, section 1) and waits for it.
func (m *Maker) Create(ctx context.Context, namespace, id string, spec []byte) (_ *Bundle, err error) {
	ctx, sp := span.Start(ctx, stages.ContainerdBundle)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return nil, err
	}
	dir := m.Path(namespace, id)
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, &stages.Error{Step: stages.ContainerdBundle, Kind: stages.Internal, Thing: dir, Err: err}
	}
	// The order is put together by hand: json.Marshal would compact the spec, and the contract is "byte for byte".
	quoted, err := json.Marshal(dir)
	if err != nil {
		return nil, &stages.Error{Step: stages.ContainerdBundle, Kind: stages.Invalid, Thing: dir, Err: err}
	}
	order := slices.Concat([]byte(`{"bundle":`), quoted, []byte(`,"spec":`), spec, []byte("}"))
	limit, cancel := span.Limit(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(limit, m.Program, "create")
	cmd.Stdin = bytes.NewReader(order)
	cmd.Env = append(span.Env(span.Current(ctx), m.Spans), span.WithoutEnv(os.Environ())...)
	cmd.Env = append(cmd.Env, "GOMAXPROCS=1") // it makes three files: a second processor would only cost its start
	var text bytes.Buffer
	cmd.Stderr = &text
	_, absent := os.Lstat(dir)
	if err := cmd.Run(); err != nil {
		if absent != nil {
			os.RemoveAll(dir) // of a program that was killed: one that fails leaves nothing
		}
		return nil, makerError(m.Program, err, text.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "config.json")); err != nil {
		os.RemoveAll(dir)
		return nil, &stages.Error{
			Step: stages.ContainerdBundle, Kind: stages.Internal, Thing: m.Program,
			Err: errors.New("it said that it made a bundle, and there is none: " + err.Error()),
		}
	}
	return &Bundle{Dir: dir}, nil
}

// makerError says why there is no bundle: the program's own line if it left one.
func makerError(program string, err error, text string) error {
	e := &stages.Error{Step: stages.ContainerdBundle, Kind: stages.Internal, Thing: program, Err: err}
	if line := strings.TrimSpace(text); line != "" {
		e.Err = errors.New(line)
		if strings.Contains(line, unix.EEXIST.Error()) {
			e.Kind = stages.Conflict
		}
	} else if errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		// Not the errno's words: a docker client reads "no such file or directory" as "the container's program is missing" (exit code 127).
		e.Kind, e.Err, e.Hint = stages.Unavailable, errors.New("the program is missing"), "build it, or name it with --bundle"
	}
	return e
}

// Read returns one of the bundle's small records; "" if it is not there.
func (b *Bundle) Read(name string) string {
	text, err := os.ReadFile(filepath.Join(b.Dir, name))
	if err != nil || len(text) > 64<<10 {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Write writes one of the bundle's small records: to a temporary name and renamed, so that a reader after a kill -9 finds all or nothing
// (rename(2)).
func (b *Bundle) Write(name, text string) error {
	tmp := filepath.Join(b.Dir, "."+name)
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(b.Dir, name))
}

// An Exit is exit.json, the shim's record of the end of the container's first process (docs/seams.md, section 3).
type Exit struct {
	PID      uint32    `json:"pid"`
	Status   uint32    `json:"status"` // exit code, or 128 + the signal
	ExitedAt time.Time `json:"exitedAt"`
}

// Exit reads exit.json. false means that the shim has written none: a foreign shim, or one that died before its container.
func (b *Bundle) Exit() (e Exit, ok bool) {
	text := b.Read("exit.json")
	if text == "" || json.Unmarshal([]byte(text), &e) != nil || e.ExitedAt.IsZero() {
		return Exit{}, false
	}
	return e, true
}

// Remove unmounts whatever is still mounted on rootfs and removes the directory. It is for a bundle whose shim is gone or done: the shim
// unmounts first, and this only makes sure that RemoveAll can never walk into a mounted root file system.
func (b *Bundle) Remove() error {
	rootfs := filepath.Join(b.Dir, "rootfs")
	for range 64 {
		// UMOUNT_NOFOLLOW: rootfs is a directory of ours, never a link to be followed. EINVAL says that nothing is mounted any more
		// (umount2(2)).
		err := unix.Unmount(rootfs, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if err == unix.EINVAL || err == unix.ENOENT {
			break
		}
		if err != nil {
			return fmt.Errorf("unmount %s: %w", rootfs, err)
		}
	}
	return os.RemoveAll(b.Dir)
}
