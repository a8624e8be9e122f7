package spec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const (
	defaultShm = 64 << 20          // bytes
	initPath   = "/sbin/hull-init" // where --init's program is in the container
)

// mounts is docker's list, in order: what comes later is mounted over or into what came before. First docker's own, then the small files of
// /etc, and then the user's, parents before children. A user's mount takes the place of docker's of the same directory.
func mounts(in *Input) ([]specs.Mount, error) {
	h := in.HostConfig
	points, err := readPoints(in.Config, h)
	if err != nil {
		return nil, err
	}
	if err := propagates(points); err != nil {
		return nil, err
	}
	var list []specs.Mount
	for _, m := range ownMounts(h, in.Files) {
		covered := slices.ContainsFunc(points, func(p point) bool {
			return p.Destination == m.Destination || p.Destination == "/dev" && strings.HasPrefix(m.Destination, "/dev/")
		})
		if !covered {
			list = append(list, m)
		}
	}
	for _, p := range points {
		m := specs.Mount{Destination: p.Destination, Type: string(p.Type), Source: p.Source, Options: p.options}
		if p.volume {
			m.Type, m.Source = "bind", in.Files.Volumes[p.Destination]
		}
		list = append(list, m)
	}
	if runsInit(h) {
		list = append(list, specs.Mount{Destination: initPath, Type: "bind", Source: in.Files.Init, Options: []string{"bind", "ro"}})
	}
	return list, nil
}

// ownMounts are the mounts that nobody asked for.
func ownMounts(h *container.HostConfig, f Files) []specs.Mount {
	access := []string{"ro"}
	if h.Privileged {
		access = nil
	}
	list := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: append([]string{"nosuid", "noexec", "nodev"}, access...)},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: append(append([]string{}, access...), "nosuid", "noexec", "nodev")},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
	}
	shm := specs.Mount{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=" + strconv.FormatInt(h.ShmSize, 10)}}
	switch {
	case h.IpcMode.IsNone():
		// an ipc namespace of its own, and no memory to share in it
	case f.Shm != "": // the host's, or one that several containers have
		list = append(list, specs.Mount{Destination: "/dev/shm", Type: "bind", Source: f.Shm, Options: []string{"rbind", "rprivate"}})
	default:
		list = append(list, shm)
	}
	for _, file := range [][2]string{{f.ResolvConf, "/etc/resolv.conf"}, {f.Hostname, "/etc/hostname"}, {f.Hosts, "/etc/hosts"}} {
		if file[0] == "" {
			continue
		}
		options := []string{"rbind"}
		if h.ReadonlyRootfs {
			options = append(options, "ro")
		}
		list = append(list, specs.Mount{Destination: file[1], Type: "bind", Source: file[0], Options: append(options, "rprivate")})
	}
	return list
}

// runsInit reports whether an init of ours is the container's first process. In another's pid namespace it would be none.
func runsInit(h *container.HostConfig) bool {
	return h.Init != nil && *h.Init && h.PidMode.IsPrivate()
}
