package container

import (
	"strings"

	"hull/runc/cgroup"
	"hull/runc/rootfs"
)

// hierarchies says where the container's groups are to be seen inside it. unified: v2 is all there is.
func hierarchies(members []cgroup.Member) (list []rootfs.Hierarchy, unified bool) {
	unified = len(members) > 0
	seen := map[string]bool{}
	for _, m := range members {
		if m.Version == 1 {
			unified = false
		}
		name := strings.TrimPrefix(m.Controller, "name=")
		if m.Version == 2 {
			name = "unified"
		}
		if seen[m.Dir] {
			continue
		}
		seen[m.Dir] = true
		h := rootfs.Hierarchy{Name: name, Dir: m.Dir}
		if parts := strings.Split(name, ","); len(parts) > 1 {
			h.Links = parts
		}
		list = append(list, h)
	}
	return list, unified
}
