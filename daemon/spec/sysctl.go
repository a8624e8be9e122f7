package spec

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
)

// ipcSysctls are the kernel parameters of the ipc namespace (ipc_namespaces(7)).
var ipcSysctls = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}

// sysctls are docker's for a network namespace of its own, where binding low ports and sending pings need no privilege, and then the
// user's. Only a parameter of a namespace that is not the host's may be set.
func sysctls(c *container.Config, h *container.HostConfig) (map[string]string, error) {
	m := map[string]string{}
	if h.NetworkMode.IsPrivate() {
		m["net.ipv4.ip_unprivileged_port_start"] = "0"
		m["net.ipv4.ping_group_range"] = "0 2147483647"
	}
	if c.Domainname != "" {
		m["kernel.domainname"] = c.Domainname
	}
	for _, name := range slices.Sorted(maps.Keys(h.Sysctls)) {
		dotted := name
		if strings.Contains(name, "/") { // net/ipv4/conf/eth0.1: the other spelling
			dotted = strings.ReplaceAll(name, "/", ".")
		}
		net, ipc := strings.HasPrefix(dotted, "net."), slices.Contains(ipcSysctls, dotted) || strings.HasPrefix(dotted, "fs.mqueue.")
		switch {
		case !net && !ipc:
			return nil, invalid("sysctl %q is not in a separate kernel namespace", name)
		case net && h.NetworkMode.IsHost():
			return nil, invalid("sysctl %q not allowed in host network namespace", name)
		case ipc && h.IpcMode.IsHost():
			return nil, invalid("sysctl %q is not allowed in the hosts ipc namespace", name)
		case strings.Contains(dotted, "..") || strings.ContainsAny(name+h.Sysctls[name], "\n\x00"):
			return nil, invalid("invalid sysctl %q", name)
		}
		m[name] = h.Sysctls[name]
	}
	return m, nil
}
