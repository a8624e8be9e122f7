package spec

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

// A point is one mount of the user's or of the image's: -v, --mount, --tmpfs, VOLUME.
type point struct {
	container.MountPoint
	options []string // the spec's
	volume  bool     // a directory of the container's own: volume.go
	create  bool     // the source is made if it is not there
	plain   bool     // --tmpfs: inspect has it in HostConfig alone
}

// Points are the mounts of a container in inspect's form. volumes are the sources of its volumes.
func Points(c *container.Config, h *container.HostConfig, volumes map[string]string) ([]container.MountPoint, error) {
	list, err := readPoints(c, h)
	out := []container.MountPoint{}
	for _, p := range list {
		if p.volume {
			p.Source = volumes[p.Destination]
		}
		if !p.plain {
			out = append(out, p.MountPoint)
		}
	}
	return out, err
}

// readPoints reads all of them; parents come before children. The image's volumes give way to what the user mounts there.
func readPoints(c *container.Config, h *container.HostConfig) (list []point, err error) {
	taken := map[string]bool{}
	add := func(p point) error {
		if taken[p.Destination] {
			return invalid("Duplicate mount point: %s", p.Destination)
		}
		taken[p.Destination] = true
		list = append(list, p)
		return nil
	}
	for _, dir := range slices.Sorted(maps.Keys(h.Tmpfs)) {
		p, err := tmpfsPoint(dir, h.Tmpfs[dir])
		if err != nil {
			return nil, err
		}
		if err := add(p); err != nil {
			return nil, err
		}
	}
	for _, bind := range h.Binds {
		p, err := parseBind(bind)
		if err != nil {
			return nil, err
		}
		if err := add(p); err != nil {
			return nil, err
		}
	}
	for _, m := range h.Mounts {
		p, err := mountPoint(m)
		if err != nil {
			return nil, err
		}
		if err := add(p); err != nil {
			return nil, err
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(c.Volumes)) {
		p, err := volumePoint(dir)
		if err != nil {
			return nil, err
		}
		if !taken[p.Destination] {
			add(p)
		}
	}
	slices.SortStableFunc(list, func(a, b point) int {
		return strings.Count(a.Destination, "/") - strings.Count(b.Destination, "/")
	})
	return list, nil
}

// destination checks a place in the container.
func destination(p string) (string, error) {
	switch {
	case path.Clean(p) == "/":
		return "", errors.New("invalid specification: destination can't be '/'")
	case !filepath.IsAbs(p):
		return "", fmt.Errorf("invalid mount path: '%s' mount path must be absolute", p)
	}
	return path.Clean(p), nil
}

// parseBind reads docker's -v SOURCE:TARGET[:OPTIONS], in the form in which its client sends them.
func parseBind(bind string) (p point, err error) {
	part := strings.Split(bind, ":")
	if len(part) < 2 || len(part) > 3 || part[0] == "" || part[1] == "" {
		return p, invalid("invalid volume specification: '%s'", bind)
	}
	if !filepath.IsAbs(part[0]) {
		return p, unsupported("Binds: named volume "+strconv.Quote(part[0]), "mount a directory by its absolute path")
	}
	p = point{create: true, MountPoint: container.MountPoint{Type: mount.TypeBind, Source: filepath.Clean(part[0]), RW: true, Propagation: mount.PropagationRPrivate}}
	if p.Destination, err = destination(part[1]); err != nil {
		return p, invalid("invalid volume specification: '%s': %w", bind, err)
	}
	if len(part) == 3 {
		p.Mode = part[2]
		for _, option := range strings.Split(part[2], ",") {
			switch option {
			case "rw":
			case "ro":
				p.RW = false
			case "private", "rprivate", "slave", "rslave":
				p.Propagation = mount.Propagation(option)
			case "shared", "rshared":
				return p, unsupported("Binds: option "+strconv.Quote(option), "use rslave")
			case "z", "Z", "nocopy", "consistent", "cached", "delegated":
				return p, unsupported("Binds: option "+strconv.Quote(option), "leave it out")
			default:
				return p, invalid("invalid volume specification: '%s': invalid mode: %s", bind, part[2])
			}
		}
	}
	p.options = bindOptions(p, nil)
	return p, nil
}

// mountPoint reads a --mount.
func mountPoint(m mount.Mount) (p point, err error) {
	refuse := func(format string, args ...any) (point, error) {
		return p, invalid("invalid mount config for type %q: %w", m.Type, fmt.Errorf(format, args...))
	}
	if m.Type != mount.TypeBind && m.Type != mount.TypeTmpfs {
		if slices.Contains([]mount.Type{mount.TypeVolume, mount.TypeImage, mount.TypeNamedPipe, mount.TypeCluster}, m.Type) {
			return p, unsupported("Mounts: type "+string(m.Type), "use bind or tmpfs")
		}
		return refuse("mount type unknown")
	}
	for _, foreign := range []struct {
		field string
		given bool
	}{
		{"BindOptions", m.BindOptions != nil && m.Type != mount.TypeBind},
		{"TmpfsOptions", m.TmpfsOptions != nil && m.Type != mount.TypeTmpfs},
		{"VolumeOptions", m.VolumeOptions != nil},
		{"ImageOptions", m.ImageOptions != nil},
		{"ClusterOptions", m.ClusterOptions != nil},
	} {
		if foreign.given {
			return refuse("field %s must not be specified", foreign.field)
		}
	}
	if m.Target == "" {
		return refuse("field Target must not be empty")
	}
	p.MountPoint = container.MountPoint{Type: m.Type, RW: !m.ReadOnly}
	if p.Destination, err = destination(m.Target); err != nil {
		return refuse("%w", err)
	}
	if m.Type == mount.TypeTmpfs {
		if m.Source != "" {
			return refuse("field Source must not be specified")
		}
		return tmpfsMount(p, m)
	}
	switch {
	case m.Source == "":
		return refuse("field Source must not be empty")
	case !filepath.IsAbs(m.Source):
		return refuse("invalid mount path: '%s' mount path must be absolute", m.Source)
	}
	p.Source, p.Propagation = filepath.Clean(m.Source), mount.PropagationRPrivate
	if b := m.BindOptions; b != nil {
		p.create = b.CreateMountpoint
		switch b.Propagation {
		case "":
		case mount.PropagationPrivate, mount.PropagationRPrivate, mount.PropagationSlave, mount.PropagationRSlave:
			p.Propagation = b.Propagation
		case mount.PropagationShared, mount.PropagationRShared:
			return p, unsupported("Mounts: propagation "+string(b.Propagation), "use rslave")
		default:
			return refuse("invalid propagation mode: %s", b.Propagation)
		}
		if b.ReadOnlyNonRecursive && b.ReadOnlyForceRecursive {
			return refuse("mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive")
		}
	}
	p.options = bindOptions(p, m.BindOptions)
	return p, nil
}

// bindOptions are a bind mount's in the spec. Read-only means the mounts below it as well (rro, Linux 5.12), unless that was declined.
func bindOptions(p point, b *mount.BindOptions) []string {
	if b == nil {
		b = &mount.BindOptions{}
	}
	options := []string{"rbind"}
	if b.NonRecursive {
		options = []string{"bind"}
	}
	switch {
	case p.RW:
	case b.ReadOnlyNonRecursive || b.NonRecursive:
		options = append(options, "ro")
	default:
		options = append(options, "rro")
	}
	return append(options, string(p.Propagation))
}

// MakeSources makes the host directories of -v that do not exist, as docker does. --mount wants them to be there.
func MakeSources(c *container.Config, h *container.HostConfig) error {
	list, err := readPoints(c, h)
	if err != nil {
		return err
	}
	for _, must := range []bool{true, false} { // first what may fail for the user's fault: then nothing has been made
		for _, p := range list {
			if p.Type != mount.TypeBind || p.create == must {
				continue
			}
			if _, err := os.Stat(p.Source); !errors.Is(err, os.ErrNotExist) {
				continue
			}
			if must {
				return invalid("invalid mount config for type \"bind\": bind source path does not exist: %s", p.Source)
			}
			if err := os.MkdirAll(p.Source, 0o755); err != nil {
				return &stages.Error{Kind: stages.Invalid, Thing: p.Source, Err: fmt.Errorf("error while creating mount source path: %w", err)}
			}
		}
	}
	return nil
}
