package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// mountOptions are run's flags about what is mounted into the container.
type mountOptions struct {
	volumes  []string
	tmpfs    []string
	mounts   mountValues
	readOnly bool
	shmSize  memory
}

func (o *mountOptions) define(f *pflag.FlagSet) {
	f.VarP(listValue{&o.volumes, nil}, "volume", "v", "Bind mount a directory or file: /SOURCE:/TARGET[:ro]")
	f.Var(&o.mounts, "mount", "Attach a filesystem mount to the container")
	f.Var(listValue{&o.tmpfs, nil}, "tmpfs", "Mount a tmpfs directory")
	f.BoolVar(&o.readOnly, "read-only", false, "Mount the container's root filesystem as read only")
	f.Var(&o.shmSize, "shm-size", "Size of /dev/shm")
}

func (o *mountOptions) apply(body *engine.CreateRequest) error {
	h := &body.HostConfig
	for _, v := range o.volumes {
		v, err := checkBind(v)
		if err != nil {
			return err
		}
		if strings.Contains(v, ":") {
			h.Binds = append(h.Binds, v)
			continue
		}
		if body.Volumes == nil {
			body.Volumes = map[string]struct{}{}
		}
		body.Volumes[v] = struct{}{}
	}
	for _, t := range o.tmpfs {
		if h.Tmpfs == nil {
			h.Tmpfs = map[string]string{}
		}
		path, options, _ := strings.Cut(t, ":")
		h.Tmpfs[path] = options
	}
	h.Mounts, h.ReadonlyRootfs, h.ShmSize = o.mounts, o.readOnly, int64(o.shmSize)
	return nil
}

// checkBind accepts SOURCE:TARGET[:MODE], and TARGET alone for a volume without a name. A source that begins with a dot is a path of the
// client and made absolute here, because the daemon does not know where the client stands. A bare word is the name of a volume.
func checkBind(s string) (string, error) {
	part := strings.SplitN(s, ":", 3)
	switch {
	case s == "":
		return "", fmt.Errorf("invalid empty volume spec")
	case len(part) == 1 && filepath.IsAbs(s):
		return s, nil
	case len(part) == 1:
		return "", fmt.Errorf("invalid volume specification: '%s': invalid mount path: '%s' mount path must be absolute", s, s)
	case part[0] == "" || part[1] == "":
		return "", fmt.Errorf("invalid spec: %s: empty section between colons", s)
	case !filepath.IsAbs(part[1]):
		return "", fmt.Errorf("invalid volume specification: '%s': invalid mount path: '%s' mount path must be absolute", s, part[1])
	case part[0] == "." || part[0] == ".." || strings.HasPrefix(part[0], "./") || strings.HasPrefix(part[0], "../"):
		abs, err := filepath.Abs(part[0])
		if err != nil {
			return "", err
		}
		part[0] = abs
	case strings.Contains(part[0], "/") && part[0][0] != '/':
		return "", fmt.Errorf("%q is no path (begin it with / or ./)", part[0])
	case part[0][0] != '/':
		return "", fmt.Errorf("named volumes are not offered yet (%q is no path: begin it with / or ./)", part[0])
	}
	return strings.Join(part, ":"), nil
}
