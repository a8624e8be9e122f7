package engine

import (
	"cmp"
	"slices"
	"strconv"

	"hull/daemon/store"

	"github.com/moby/moby/api/types/container"
	moby "github.com/moby/moby/api/types/network"
)

// A NetworkSettings is docker's, with the fields that stand beside the networks' own: the default bridge's once more, as clients before API
// 1.52 read them.
type NetworkSettings struct {
	*container.NetworkSettings
	Bridge                 string
	HairpinMode            bool
	LinkLocalIPv6Address   string
	LinkLocalIPv6PrefixLen int
	SecondaryIPAddresses   []string
	SecondaryIPv6Addresses []string
	EndpointID             string
	Gateway                string
	GlobalIPv6Address      string
	GlobalIPv6PrefixLen    int
	IPAddress              string
	IPPrefixLen            int
	IPv6Gateway            string
	MacAddress             string
}

// An Inspection is docker's answer to inspect.
type Inspection struct {
	*container.InspectResponse
	NetworkSettings *NetworkSettings
}

func (e *Engine) networkSettings(rec store.Record) *NetworkSettings {
	s := &NetworkSettings{NetworkSettings: &container.NetworkSettings{Ports: portsOf(rec), Networks: networksOf(rec)}}
	if rec.State.PID == 0 {
		return s
	}
	s.SandboxID, s.SandboxKey = rec.ID, e.netnsKey(rec)
	if rec.Network != nil {
		at := endpointOf(rec)
		s.EndpointID, s.Gateway, s.IPAddress, s.IPPrefixLen, s.MacAddress = at.EndpointID, at.Gateway.String(), at.IPAddress.String(), at.IPPrefixLen, at.MacAddress.String()
	}
	return s
}

// netnsKey is where the container's network namespace is found.
func (e *Engine) netnsKey(rec store.Record) string {
	if path := e.netnsPath(&rec); path != "" {
		return path
	}
	return "/proc/" + strconv.Itoa(rec.State.PID) + "/ns/net"
}

// portSummary is the list of ps: published ports first, then those that are only exposed, each in order.
func portSummary(rec store.Record) []container.PortSummary {
	list := []container.PortSummary{}
	for port, at := range portsOf(rec) {
		if at == nil {
			list = append(list, container.PortSummary{PrivatePort: port.Num(), Type: string(port.Proto())})
		}
	}
	if rec.State.PID != 0 && rec.Network != nil {
		for _, p := range rec.Network.Ports {
			list = append(list, container.PortSummary{IP: p.HostIP, PrivatePort: p.Port, PublicPort: p.HostPort, Type: p.Proto})
		}
	}
	slices.SortFunc(list, func(a, b container.PortSummary) int {
		return cmp.Or(cmp.Compare(a.PrivatePort, b.PrivatePort), cmp.Compare(a.Type, b.Type), a.IP.Compare(b.IP), cmp.Compare(a.PublicPort, b.PublicPort))
	})
	return list
}

// portsOf are the container's ports in docker's form: published ones with their places on the host, exposed ones without.
func portsOf(rec store.Record) moby.PortMap {
	ports := moby.PortMap{}
	if rec.State.PID == 0 || rec.Network == nil {
		return ports
	}
	for p := range rec.Config.ExposedPorts {
		ports[p] = nil
	}
	for _, p := range rec.Network.Ports {
		if port, ok := moby.PortFrom(p.Port, moby.IPProtocol(p.Proto)); ok {
			ports[port] = append(ports[port], moby.PortBinding{HostIP: p.HostIP, HostPort: strconv.Itoa(int(p.HostPort))})
		}
	}
	return ports
}
