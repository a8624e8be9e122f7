package spec

import (
	"reflect"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// Bridge is the default network's name.
const Bridge = "bridge"

// NormalizeNetwork gives the default network its name: docker's clients call it "default", or nothing at all.
func NormalizeNetwork(h *container.HostConfig, n *network.NetworkingConfig) {
	if h.NetworkMode == "" || h.NetworkMode.IsDefault() {
		h.NetworkMode = Bridge
	}
	if n == nil {
		return
	}
	if e, ok := n.EndpointsConfig["default"]; ok {
		delete(n.EndpointsConfig, "default")
		n.EndpointsConfig[Bridge] = e
	}
}

// checkNetwork refuses networks that are not there, and combinations that docker refuses, in its words.
func checkNetwork(c *container.Config, h *container.HostConfig, n *network.NetworkingConfig) error {
	mode := h.NetworkMode
	switch {
	case mode.IsNone(), mode.IsHost(), mode == Bridge:
	case mode.IsContainer():
		if mode.ConnectedContainer() == "" {
			return invalid("invalid container format container:<name|id>")
		}
		if err := checkShared(c, h, n); err != nil {
			return err
		}
	default:
		return unsupported("HostConfig.NetworkMode "+string(mode)+": a user-defined network", "run with --network bridge, none, host or container:NAME")
	}
	if _, err := Bindings(c, h); err != nil {
		return err
	}
	if n == nil {
		return nil
	}
	for name, endpoint := range n.EndpointsConfig {
		if name != string(mode) {
			return unsupported("NetworkingConfig.EndpointsConfig "+name, "a container has one network")
		}
		if endpoint == nil {
			continue
		}
		e := *endpoint
		if !empty(reflect.ValueOf(e.IPAMConfig)) {
			return invalid("invalid config for network %s: user specified IP address is supported on user defined networks only", name)
		}
		if len(e.Aliases) > 0 {
			return invalid("invalid config for network %s: network-scoped aliases are only supported for user-defined networks", name)
		}
		if len(e.MacAddress) > 0 && mode != Bridge {
			return invalid("conflicting options: mac-address and the network mode")
		}
		if e.MacAddress = nil; !empty(reflect.ValueOf(e)) {
			return unsupported("NetworkingConfig.EndpointsConfig "+name, "leave out links and driver options")
		}
	}
	return nil
}

// checkShared is for a container in another's network: what belongs to the network is decided there.
func checkShared(c *container.Config, h *container.HostConfig, n *network.NetworkingConfig) error {
	conflicts := []struct {
		what string
		is   bool
	}{
		{"hostname and the network mode", c.Hostname != ""},
		{"dns and the network mode", len(h.DNS) > 0},
		{"custom host-to-IP mapping and the network mode", len(h.ExtraHosts) > 0},
		{"port publishing and the container type network mode", len(h.PortBindings) > 0 || h.PublishAllPorts},
		{"port exposing and the container type network mode", len(c.ExposedPorts) > 0},
	}
	for _, conflict := range conflicts {
		if conflict.is {
			return invalid("conflicting options: %s", conflict.what)
		}
	}
	return nil
}

// MAC is the hardware address that the user asks for, or "".
func MAC(n *network.NetworkingConfig) string {
	if n == nil || n.EndpointsConfig[Bridge] == nil || len(n.EndpointsConfig[Bridge].MacAddress) == 0 {
		return ""
	}
	return strings.ToLower(n.EndpointsConfig[Bridge].MacAddress.String())
}
