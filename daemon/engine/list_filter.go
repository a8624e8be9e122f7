package engine

import (
	"slices"

	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// filterMore are the filters of ps that people use less: volume, publish, expose, health, is-task.
func filterMore(name, value string) (func(store.Record) bool, error) {
	switch name {
	case "volume":
		return func(r store.Record) bool {
			points, _ := spec.Points(r.Config, r.HostConfig, nil)
			return slices.ContainsFunc(points, func(p container.MountPoint) bool {
				return p.Name == value || p.Source == value || p.Destination == value
			})
		}, nil
	case "publish", "expose":
		ports, err := network.ParsePortRange(value)
		if err != nil {
			return nil, failure(stages.Invalid, "error while looking up for %s %s: %v", name, value, err)
		}
		wanted := slices.Collect(ports.All())
		if name == "publish" {
			return func(r store.Record) bool {
				return slices.ContainsFunc(wanted, func(p network.Port) bool { return publishes(r, p) })
			}, nil
		}
		return func(r store.Record) bool {
			return slices.ContainsFunc(wanted, func(p network.Port) bool { _, ok := r.Config.ExposedPorts[p]; return ok })
		}, nil
	case "health":
		switch status := container.HealthStatus(value); status {
		case container.NoHealthcheck, container.Starting, container.Healthy, container.Unhealthy:
			return func(store.Record) bool { return status == container.NoHealthcheck }, nil // hull runs no health checks
		}
		return nil, failure(stages.Invalid, "unrecognized filter value for health: %s", value)
	case "is-task":
		switch value {
		case "true", "false", "1", "0":
			return func(store.Record) bool { return value == "false" || value == "0" }, nil // no swarm, no tasks
		}
		return nil, failure(stages.Invalid, "invalid filter 'is-task=%s'", value)
	}
	return nil, failure(stages.Invalid, "invalid filter '%s'", name)
}

// publishes reports whether the container publishes its port, or anything at the host's port, of that number.
func publishes(r store.Record, wanted network.Port) bool {
	for port, bindings := range r.HostConfig.PortBindings {
		if port == wanted {
			return true
		}
		for _, b := range bindings {
			if b.HostPort == wanted.Port() && port.Proto() == wanted.Proto() {
				return true
			}
		}
	}
	return false
}
