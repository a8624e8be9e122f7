package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"hull/stages"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// pools are docker's default address pools: sixteen-bit networks from 172.17 to 172.31, then twenty-bit ones in 192.168.
func pools() (list []netip.Prefix) {
	for second := 17; second < 32; second++ {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{172, byte(second), 0, 0}), 16))
	}
	for third := 0; third < 256; third += 16 {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, byte(third), 0}), 20))
	}
	return list
}

// chooseSubnet takes the first pool that overlaps no address, no route and no name server of this network namespace; the one of before,
// if it still can be had. Other instances show themselves by their bridges' addresses.
func (b *Bridge) chooseSubnet() (netip.Prefix, error) {
	taken, err := b.taken()
	if err != nil {
		return netip.Prefix{}, failed(stages.DaemonNetworkBridge, b.name, err)
	}
	candidates := pools()
	if b.subnet.IsValid() {
		candidates = append([]netip.Prefix{b.subnet}, candidates...)
	}
	for _, p := range candidates {
		free := true
		for _, t := range taken {
			free = free && !t.Overlaps(p)
		}
		if free {
			return p, nil
		}
	}
	return netip.Prefix{}, &stages.Error{
		Step: stages.DaemonNetworkBridge, Kind: stages.Exhausted, Err: errors.New("all predefined address pools have been fully subnetted"),
		Hint: "addresses and routes of this host overlap all of 172.17-31.0.0/16 and 192.168.0.0/16",
	}
}

// taken is every network that this host already has something to do with, except through our own bridge.
func (b *Bridge) taken() (list []netip.Prefix, err error) {
	own := 0
	if link, err := b.host.LinkByName(b.name); err == nil {
		own = link.Attrs().Index
	}
	addrs, err := b.host.AddrList(nil, unix.AF_INET)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if a.LinkIndex != own {
			list = appendNet(list, a.IPNet)
		}
	}
	routes, err := b.host.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE) // of all tables
	if err != nil {
		return nil, err
	}
	for _, r := range routes {
		if r.LinkIndex != own {
			list = appendNet(list, r.Dst)
		}
	}
	text, _ := os.ReadFile("/etc/resolv.conf")
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "nameserver" {
			if a, err := netip.ParseAddr(f[1]); err == nil && a.Is4() {
				list = append(list, netip.PrefixFrom(a, 32))
			}
		}
	}
	return list, nil
}

// appendNet adds a network to the list; the default route (no destination, or one of length 0) leads everywhere and takes nothing.
func appendNet(list []netip.Prefix, n *net.IPNet) []netip.Prefix {
	if n == nil {
		return list
	}
	a, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	if !ok || ones == 0 {
		return list
	}
	return append(list, netip.PrefixFrom(a.Unmap(), ones).Masked())
}

// lockNamespace keeps other instances in this network namespace from choosing a subnet meanwhile. The lock is an abstract UNIX socket's name
// (unix(7)): such names belong to the network namespace, as the subnets do, and are given back when their holder dies.
func lockNamespace(ctx context.Context) (unlock func(), err error) {
	for {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		if err = unix.Bind(fd, &unix.SockaddrUnix{Name: "@hull.subnet"}); err == nil {
			return func() { unix.Close(fd) }, nil
		}
		unix.Close(fd)
		if !errors.Is(err, unix.EADDRINUSE) {
			return nil, fmt.Errorf("bind @hull.subnet: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another hulld holds @hull.subnet: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// nextAddress takes the lowest address that nobody has. It needs b.mu.
func (b *Bridge) nextAddress(id string) (netip.Addr, error) {
	for a := b.gateway().Next(); b.subnet.Contains(a.Next()); a = a.Next() { // the last one is the broadcast address
		if _, taken := b.used[a]; !taken {
			b.used[a] = id
			return a, nil
		}
	}
	return netip.Addr{}, &stages.Error{
		Step: stages.DaemonNetworkAllocate, Kind: stages.Exhausted, Thing: b.subnet.String(), Err: errors.New("no available IPv4 addresses on this network"),
		Hint: "remove containers that are not needed",
	}
}
