package spec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const defaultShm = 64 << 20 // bytes

// mounts is docker's list, in order: what comes later is mounted over or into what came before.
func mounts(h *container.HostConfig, f Files) ([]specs.Mount, error) {
	shm := h.ShmSize
	if shm == 0 {
		shm = defaultShm
	}
	list := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"ro", "nosuid", "noexec", "nodev"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=" + strconv.FormatInt(shm, 10)}},
	}
	for _, file := range [][2]string{{f.ResolvConf, "/etc/resolv.conf"}, {f.Hostname, "/etc/hostname"}, {f.Hosts, "/etc/hosts"}} {
		if file[0] != "" {
			list = append(list, specs.Mount{Destination: file[1], Type: "bind", Source: file[0], Options: []string{"rbind", "rprivate"}})
		}
	}
	binds, err := ParseBinds(h.Binds)
	if err != nil {
		return nil, err
	}
	for _, b := range binds {
		options := []string{"rbind", string(b.Propagation)}
		if !b.RW {
			options = append(options, "ro")
		}
		// A bind over one of docker's own mounts takes its place.
		kept := list[:0]
		for _, m := range list {
			if m.Destination != b.Destination {
				kept = append(kept, m)
			}
		}
		list = append(kept, specs.Mount{Destination: b.Destination, Type: "bind", Source: b.Source, Options: options})
	}
	return list, nil
}

// ParseBinds reads docker's -v SOURCE:TARGET[:OPTIONS], in the form in which its client sends them.
func ParseBinds(binds []string) ([]container.MountPoint, error) {
	var out []container.MountPoint
	seen := map[string]bool{}
	for _, bind := range binds {
		b, err := parseBind(bind)
		if err != nil {
			return nil, err
		}
		if seen[b.Destination] {
			return nil, invalid("Duplicate mount point: %s", b.Destination)
		}
		seen[b.Destination] = true
		out = append(out, b)
	}
	return out, nil
}

func parseBind(bind string) (b container.MountPoint, err error) {
	part := strings.Split(bind, ":")
	if len(part) < 2 || len(part) > 3 || part[0] == "" || part[1] == "" {
		return b, invalid("invalid volume specification: '%s'", bind)
	}
	if !filepath.IsAbs(part[0]) {
		return b, unsupported("Binds: named volume "+strconv.Quote(part[0]), "mount a directory by its absolute path")
	}
	if !filepath.IsAbs(part[1]) {
		return b, invalid("invalid volume specification: '%s': invalid mount path: '%s' mount path must be absolute", bind, part[1])
	}
	b = container.MountPoint{
		Type: mount.TypeBind, Source: filepath.Clean(part[0]), Destination: filepath.Clean(part[1]), RW: true, Propagation: mount.PropagationRPrivate,
	}
	if b.Destination == "/" {
		return b, invalid("invalid volume specification: '%s': destination can't be '/'", bind)
	}
	if len(part) == 2 {
		return b, nil
	}
	b.Mode = part[2]
	for _, option := range strings.Split(part[2], ",") {
		switch option {
		case "rw":
		case "ro":
			b.RW = false
		case "private", "rprivate", "shared", "rshared", "slave", "rslave":
			b.Propagation = mount.Propagation(option)
		case "z", "Z", "nocopy", "consistent", "cached", "delegated":
			return b, unsupported("Binds: option "+strconv.Quote(option), "leave it out")
		default:
			return b, invalid("invalid volume specification: '%s': invalid mode: %s", bind, option)
		}
	}
	return b, nil
}

// MakeSources makes the host directories of binds that do not exist, as docker does for -v.
func MakeSources(binds []container.MountPoint) error {
	for _, b := range binds {
		if _, err := os.Stat(b.Source); errors.Is(err, os.ErrNotExist) {
			err = os.MkdirAll(b.Source, 0o755)
			if err != nil {
				return &stages.Error{Kind: stages.Invalid, Thing: b.Source, Err: fmt.Errorf("error while creating mount source path: %w", err)}
			}
		}
	}
	return nil
}
