package spec

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"hull/daemon/network"

	"github.com/moby/moby/api/types/container"
	moby "github.com/moby/moby/api/types/network"
)

// Bindings are the container's ports that are to be reachable on the host: those of -p and, with -P, all that the image or the user exposes.
// Order does not depend on a map's.
func Bindings(c *container.Config, h *container.HostConfig) (list []network.Binding, err error) {
	for port, bindings := range h.PortBindings {
		if len(bindings) == 0 {
			bindings = []moby.PortBinding{{}} // as docker has it: "8080/tcp": [] is any port
		}
		for _, b := range bindings {
			w, err := binding(port, b)
			if err != nil {
				return nil, err
			}
			list = append(list, w)
		}
	}
	if h.PublishAllPorts {
		for port := range c.ExposedPorts {
			if _, given := h.PortBindings[port]; given {
				continue
			}
			w, err := binding(port, moby.PortBinding{})
			if err != nil {
				return nil, err
			}
			list = append(list, w)
		}
	}
	// Fixed ports first: one that is given must not be taken by one that may be any.
	slices.SortFunc(list, func(a, b network.Binding) int {
		any := func(w network.Binding) int { return map[bool]int{true: 1}[w.First == 0] }
		return cmp.Or(any(a)-any(b), cmp.Compare(a.Port, b.Port), strings.Compare(a.Proto, b.Proto), a.HostIP.Compare(b.HostIP), cmp.Compare(a.First, b.First))
	})
	return list, nil
}

func binding(port moby.Port, b moby.PortBinding) (w network.Binding, err error) {
	w = network.Binding{Proto: string(port.Proto()), Port: port.Num(), HostIP: b.HostIP}
	switch {
	case w.Proto == "sctp":
		return w, unsupported(fmt.Sprintf("HostConfig.PortBindings %s: sctp", port), "publish tcp or udp")
	case w.Proto != "tcp" && w.Proto != "udp":
		return w, invalid("invalid proto: %s", w.Proto)
	case w.Port == 0:
		return w, invalid("invalid port specification: %q", port.String())
	}
	switch {
	case !b.HostIP.IsValid():
		w.HostIP = netip.IPv4Unspecified()
	case b.HostIP.Unmap().Is4():
		w.HostIP = b.HostIP.Unmap()
	default:
		return w, unsupported(fmt.Sprintf("HostConfig.PortBindings %s: the IPv6 address %s", port, b.HostIP), "the bridge network is IPv4's")
	}
	if b.HostPort == "" {
		return w, nil
	}
	r, err := moby.ParsePortRange(b.HostPort)
	if err != nil || strings.Contains(b.HostPort, "/") {
		return w, invalid("invalid port specification: %q", b.HostPort)
	}
	w.First, w.Last = r.Start(), r.End()
	return w, nil
}
