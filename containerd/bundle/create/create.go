// Package create is hull-bundle: it makes the OCI bundle, the directory that is a container's whole order to the runtime.
//
// hull-containerd runs it once per task, and anybody may run it by hand; the contract is docs/seams.md, section 1. The package makes one
// directory, its rootfs and its config.json, and nothing else: it mounts nothing, and neither reads nor corrects the spec beyond asking
// whether it is one. It links the standard library, x/sys and the catalogue, because a short-lived program pays for its imports at every
// run.
package create

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"hull/stages"
	"hull/trace/span"

	"golang.org/x/sys/unix"
)

// maxOrder bounds the JSON order; a real spec has some 20 KiB.
const maxOrder = 16 << 20

// An order is what stands on standard input.
type order struct {
	Bundle string          `json:"bundle"`
	Spec   json.RawMessage `json:"spec"`
}

// Main runs hull-bundle and returns its exit code: 0, or 1 after one line on stderr.
func Main(args []string, in io.Reader, out, stderr io.Writer) int {
	if len(args) != 1 || args[0] != "create" {
		fmt.Fprintln(stderr, "usage: hull-bundle create <order.json (docs/seams.md, section 1)")
		return 1
	}
	rec, parent := span.FromEnv("hull-bundle")
	defer rec.Close()
	o, err := read(in)
	if err == nil {
		err = Create(rec.Join(context.Background(), parent), o.Bundle, o.Spec)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	answer, _ := json.Marshal(map[string]string{"bundle": o.Bundle}) // a map of strings always encodes
	fmt.Fprintf(out, "%s\n", answer)
	return 0
}

// read decodes the order and checks what can be checked before anything is made.
func read(in io.Reader) (o order, err error) {
	invalid := func(thing string, err error) error {
		return &stages.Error{Step: stages.BundleCreate, Kind: stages.Invalid, Thing: thing, Err: err}
	}
	data, err := io.ReadAll(io.LimitReader(in, maxOrder+1))
	if err != nil {
		return o, invalid("standard input", err)
	}
	if len(data) > maxOrder {
		return o, invalid("standard input", fmt.Errorf("the order is longer than %d bytes", maxOrder))
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return o, invalid("standard input", err)
	}
	if !filepath.IsAbs(o.Bundle) || filepath.Clean(o.Bundle) != o.Bundle || bytes.IndexByte([]byte(o.Bundle), 0) >= 0 {
		return o, invalid(fmt.Sprintf("bundle %q", o.Bundle), errors.New("not a clean absolute path"))
	}
	var spec struct {
		Version string `json:"ociVersion"`
	}
	if err := json.Unmarshal(o.Spec, &spec); err != nil {
		return o, invalid("spec", err)
	}
	if spec.Version == "" {
		return o, invalid("spec", errors.New("it has no ociVersion: not an OCI runtime spec"))
	}
	return o, nil
}

// Create makes the bundle directory bundle (absolute; its parent exists) with rootfs/ and config.json, which holds spec byte for byte.
// An existing directory is a Conflict. On an error nothing is left. OCI runtime-spec: bundle.md.
func Create(ctx context.Context, bundle string, spec []byte) (err error) {
	ctx, sp := span.Start(ctx, stages.BundleCreate)
	sp.Instance(bundle)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}

	// Everything happens relative to the open parent: no path is resolved twice.
	parent, err := unix.Open(filepath.Dir(bundle), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed(stages.BundleCreate, filepath.Dir(bundle), err)
	}
	defer unix.Close(parent)
	name := filepath.Base(bundle)
	// 0700 at once, not by a later chmod: the bundle will hold the container's root file system, set-user-ID programs included, and
	// other users must not reach into it (mkdirat(2)). The umask can only take bits away.
	if err := unix.Mkdirat(parent, name, 0o700); err != nil {
		return failed(stages.BundleCreate, bundle, err)
	}
	dir, err := unix.Openat(parent, name, unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
		return failed(stages.BundleCreate, bundle, err)
	}
	defer unix.Close(dir)
	defer func() {
		if err != nil {
			unix.Unlinkat(dir, "config.json", 0)
			unix.Unlinkat(dir, "rootfs", unix.AT_REMOVEDIR)
			unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
		}
	}()
	if err := makeRootfs(ctx, dir, bundle); err != nil {
		return err
	}
	return writeConfig(ctx, dir, bundle, spec)
}

// makeRootfs makes the empty directory that the shim will mount the layers on.
func makeRootfs(ctx context.Context, dir int, bundle string) (err error) {
	_, sp := span.Start(ctx, stages.BundleRootfs)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	// 0755: it is what a container's / looks like before anything is mounted there.
	if err := unix.Mkdirat(dir, "rootfs", 0o755); err != nil {
		return failed(stages.BundleRootfs, bundle+"/rootfs", err)
	}
	// mkdirat(2) obeys the umask, and a container whose / its own users cannot enter would not run.
	if err := unix.Fchmodat(dir, "rootfs", 0o755, 0); err != nil {
		return failed(stages.BundleRootfs, bundle+"/rootfs", err)
	}
	return nil
}

// writeConfig writes config.json. It is not synced: a bundle lives in the run directory and dies with the machine.
func writeConfig(ctx context.Context, dir int, bundle string, spec []byte) (err error) {
	_, sp := span.Start(ctx, stages.BundleConfig)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	// 0600: the spec holds the container's environment, and that often holds secrets.
	fd, err := unix.Openat(dir, "config.json", unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return failed(stages.BundleConfig, bundle+"/config.json", err)
	}
	for rest := spec; len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err != nil && err != unix.EINTR {
			unix.Close(fd)
			return failed(stages.BundleConfig, bundle+"/config.json", err)
		}
		rest = rest[max(n, 0):]
	}
	// close(2) reports a write that failed late (NFS, quotas).
	if err := unix.Close(fd); err != nil {
		return failed(stages.BundleConfig, bundle+"/config.json", err)
	}
	return nil
}

// failed gives a system call's error its kind.
func failed(step stages.ID, thing string, err error) error {
	e := &stages.Error{Step: step, Kind: stages.Internal, Thing: thing, Err: err}
	switch {
	case errors.Is(err, unix.EEXIST):
		e.Kind, e.Hint = stages.Conflict, "remove it, or choose another directory"
	case errors.Is(err, unix.ENOENT):
		e.Kind = stages.NotFound
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
		e.Kind = stages.Denied
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		e.Kind = stages.Exhausted
	}
	return e
}
