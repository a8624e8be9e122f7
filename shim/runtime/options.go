package runtime

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"hull/shim/wire"
	"hull/stages"
)

// DefaultRoot is where runtimes keep their states if the caller names no root: DefaultRoot/NAMESPACE.
const DefaultRoot = "/run/hull-shim/runc"

// Options are the caller's wishes about the runtime: containerd.runc.v1.Options, which dockerd and ctr send too.
type Options struct {
	BinaryName    string
	Root          string
	SystemdCgroup bool
	NoPivot       bool
	NoNewKeyring  bool
	IoUID, IoGID  int
}

// Decode reads the options of a create request. Options of another type are not for us, and are ignored as containerd's shim does.
func Decode(any *wire.Any) (Options, error) {
	if any == nil || !strings.HasSuffix(any.TypeUrl, "containerd.runc.v1.Options") {
		return Options{}, nil
	}
	var o wire.RuncOptions
	if err := wire.Unmarshal(any.Value, &o); err != nil {
		return Options{}, &stages.Error{Kind: stages.Invalid, Thing: any.TypeUrl, Err: err}
	}
	if o.ShimCgroup != "" {
		return Options{}, &stages.Error{
			Kind: stages.Unsupported, Thing: "shim_cgroup " + o.ShimCgroup, Err: errors.New("a cgroup for the shim is not offered"),
		}
	}
	return Options{
		BinaryName: o.BinaryName, Root: o.Root, SystemdCgroup: o.SystemdCgroup, NoPivot: o.NoPivotRoot, NoNewKeyring: o.NoNewKeyring,
		IoUID: int(o.IoUid), IoGID: int(o.IoGid),
	}, nil
}

// Runtime finds the program: the one that is named; else hull-runc beside our own executable; else runc in PATH.
func (o Options) Runtime(bundle, namespace string) (*Runtime, error) {
	name := o.BinaryName
	if name == "" {
		name = "runc"
		if self, err := os.Executable(); err == nil {
			beside := filepath.Join(filepath.Dir(self), stages.Runc.Binary())
			if _, err := os.Stat(beside); err == nil {
				name = beside
			}
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		why := errors.Unwrap(err)
		if errors.Is(err, os.ErrNotExist) {
			// Not the errno's words: a docker client reads "no such file or directory" as "the container's program is missing" (exit code 127).
			why = errors.New("the runtime is missing")
		}
		return nil, &stages.Error{Step: stages.ShimRuntimeCreate, Kind: stages.Unavailable, Thing: name, Err: why, Hint: "install an OCI runtime, or name one"}
	}
	root := o.Root
	if root == "" {
		root = DefaultRoot
	}
	return &Runtime{
		Binary: path, Root: filepath.Join(root, namespace), SystemdCgroup: o.SystemdCgroup, NoPivot: o.NoPivot, NoNewKeyring: o.NoNewKeyring, Bundle: bundle,
	}, nil
}

const saved = "runtime.json"

// Save notes in the bundle which runtime made the container, for a later process of ours.
func (r *Runtime) Save() error {
	b, err := json.Marshal(map[string]any{"binary": r.Binary, "root": r.Root, "systemdCgroup": r.SystemdCgroup})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.Bundle, saved), append(b, '\n'), 0o600)
}

// Load reads what Save wrote.
func Load(bundle string) (*Runtime, error) {
	b, err := os.ReadFile(filepath.Join(bundle, saved))
	if err != nil {
		return nil, err
	}
	r := &Runtime{Bundle: bundle}
	err = json.Unmarshal(b, &struct {
		Binary        *string
		Root          *string
		SystemdCgroup *bool
	}{&r.Binary, &r.Root, &r.SystemdCgroup})
	return r, err
}
