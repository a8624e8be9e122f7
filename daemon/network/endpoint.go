package network

import (
	"fmt"
	"net"
	"net/netip"
)

// An Endpoint is a container's place in the bridge network. It is part of the container's record: a restarted hulld knows from it which
// addresses and ports are taken.
type Endpoint struct {
	Address netip.Prefix // with the length of the network's prefix: 172.17.0.2/16
	Gateway netip.Addr
	MAC     string
	Ports   []Published `json:",omitempty"` // of the run that goes on
}

// A Binding is a wish: a port of the container, and where it is to be reachable on the host.
type Binding struct {
	Proto       string // tcp or udp
	Port        uint16 // in the container
	HostIP      netip.Addr
	First, Last uint16 // the first that is free; 0, 0: any
}

// A Published port is a Binding come true.
type Published struct {
	Proto    string
	Port     uint16
	HostIP   netip.Addr // 0.0.0.0: every address of the host
	HostPort uint16
}

// String is the port on the host, as it stands in a trace: "tcp 0.0.0.0:8080".
func (p Published) String() string {
	return p.Proto + " " + netip.AddrPortFrom(p.HostIP, p.HostPort).String()
}

// rule is the same with where it leads: "tcp 0.0.0.0:8080 -> 172.17.0.2:80".
func (p Published) rule(to netip.Addr) string {
	return fmt.Sprintf("%s %s -> %s", p.Proto, netip.AddrPortFrom(p.HostIP, p.HostPort), netip.AddrPortFrom(to, p.Port))
}

// MAC derives a hardware address from an IPv4 address as docker does: 02:42 and the address's four bytes. The second lowest bit of the first
// byte says "given by a local administrator" (IEEE 802). An address that is used again has the same MAC, so that nobody's ARP cache is wrong.
func MAC(a netip.Addr) net.HardwareAddr {
	ip := a.As4()
	return net.HardwareAddr{0x02, 0x42, ip[0], ip[1], ip[2], ip[3]}
}
