package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// network plans net_cls and net_prio (cgroup-v1/net_cls.rst, net_prio.rst), which exist on v1 only.
func network(r *specs.LinuxResources, version versionOf) (rows []row, err error) {
	n := r.Network
	if n == nil {
		return nil, nil
	}
	if n.ClassID != nil && *n.ClassID != 0 {
		rows = append(rows, row{controller: "net_cls", file: "net_cls.classid", value: strconv.FormatUint(uint64(*n.ClassID), 10)})
	}
	for _, p := range n.Priorities {
		rows = append(rows, row{controller: "net_prio", file: "net_prio.ifpriomap", value: fmt.Sprintf("%s %d", p.Name, p.Priority)})
	}
	for _, r := range rows {
		if version(r.controller, "") != 1 {
			return nil, cannot(stages.Unsupported, r.controller, r.file, errors.New("no v1 hierarchy with this controller is mounted, and cgroup v2 has none"))
		}
	}
	return rows, nil
}

// rdma plans limits on RDMA devices' handles and objects (cgroup-v1/rdma.rst); the file is the same on both versions.
func rdma(r *specs.LinuxResources, _ versionOf) (rows []row, err error) {
	for _, device := range slices.Sorted(maps.Keys(r.Rdma)) {
		value := device
		if n := r.Rdma[device].HcaHandles; n != nil {
			value += fmt.Sprintf(" hca_handle=%d", *n)
		}
		if n := r.Rdma[device].HcaObjects; n != nil {
			value += fmt.Sprintf(" hca_object=%d", *n)
		}
		rows = append(rows, row{controller: "rdma", file: "rdma.max", value: value})
	}
	return rows, nil
}
