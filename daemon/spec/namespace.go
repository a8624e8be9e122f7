package spec

import (
	"strings"

	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// namespaces are docker's: all of the container's own, but those of the host's that it is to share, and those of another container that it
// joins. What is not in the list is the host's. network is the path of the network's, which is there before the runtime; "" for a new one.
func namespaces(h *container.HostConfig, network string) []specs.LinuxNamespace {
	ns := []specs.LinuxNamespace{{Type: specs.MountNamespace}}
	own := func(typ specs.LinuxNamespaceType, host bool, path string) {
		if !host {
			ns = append(ns, specs.LinuxNamespace{Type: typ, Path: path})
		}
	}
	own(specs.UTSNamespace, h.UTSMode.IsHost(), "")
	own(specs.PIDNamespace, h.PidMode.IsHost(), joinPath(h, specs.PIDNamespace))
	own(specs.IPCNamespace, h.IpcMode.IsHost(), joinPath(h, specs.IPCNamespace))
	own(specs.CgroupNamespace, h.CgroupnsMode == "host", "")
	own(specs.NetworkNamespace, h.NetworkMode.IsHost(), network)
	return ns
}

// A Join is a namespace of another container.
type Join struct {
	Type      specs.LinuxNamespaceType
	Container string // id or name
}

const joinPrefix = "container:"

// Joins are the namespaces that the container takes from others, but for the network, which is more than its namespace.
func Joins(h *container.HostConfig) (list []Join) {
	for _, mode := range []struct {
		typ   specs.LinuxNamespaceType
		value string
	}{
		{specs.PIDNamespace, string(h.PidMode)}, {specs.IPCNamespace, string(h.IpcMode)},
	} {
		if name, ok := strings.CutPrefix(mode.value, joinPrefix); ok {
			list = append(list, Join{mode.typ, name})
		}
	}
	return list
}

// Rename replaces the other container's name by its id, which does not change.
func (j Join) Rename(h *container.HostConfig, id string) {
	switch j.Type {
	case specs.PIDNamespace:
		h.PidMode = container.PidMode(joinPrefix + id)
	case specs.IPCNamespace:
		h.IpcMode = container.IpcMode(joinPrefix + id)
	}
}

// joinPath stands for a path that is known only when the container starts, because the other's process is another one after each of its
// starts. No runtime takes it for a path.
func joinPath(h *container.HostConfig, typ specs.LinuxNamespaceType) string {
	for _, j := range Joins(h) {
		if j.Type == typ {
			return joinPrefix + j.Container
		}
	}
	return ""
}

// SetPath puts the path where the place was held.
func (j Join) SetPath(s *specs.Spec, path string) {
	for i := range s.Linux.Namespaces {
		if s.Linux.Namespaces[i].Type == j.Type {
			s.Linux.Namespaces[i].Path = path
		}
	}
}
