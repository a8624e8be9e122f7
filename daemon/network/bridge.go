package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"hull/stages"
	"hull/trace/span"

	"github.com/vishvananda/netlink"
)

// ensure makes the network exist: the bridge with the gateway's address, forwarding, the table of rules. What is there already is left alone.
// It needs b.mu.
func (b *Bridge) ensure(ctx context.Context) error {
	if b.closed {
		return &stages.Error{Kind: stages.Unavailable, Thing: b.name, Err: errors.New("hulld is ending")}
	}
	ctx = span.Ungated(ctx) // b.mu is all containers'
	link, err := b.host.LinkByName(b.name)
	if err == nil && b.subnet.IsValid() && b.ready {
		return nil // the usual case: one question to the kernel
	}
	if b.ready = false; err != nil && !isNotFound(err) {
		return failed(stages.DaemonNetworkBridge, b.name, err)
	}
	if link == nil || !b.subnet.IsValid() {
		if err := b.makeBridge(ctx); err != nil {
			return err
		}
	}
	if err := b.forward(ctx); err != nil {
		return err
	}
	if err := b.makeTable(ctx); err != nil {
		return err
	}
	b.ready = true
	return nil
}

// makeBridge makes the virtual switch, and its own port with the gateway's address: the host's foot in the network.
func (b *Bridge) makeBridge(ctx context.Context) (err error) {
	_, sp := span.Start(ctx, stages.DaemonNetworkBridge)
	defer sp.End(&err)
	// Until the address is on the bridge, another instance in this network namespace could choose the same subnet.
	unlock, err := lockNamespace(ctx)
	if err != nil {
		return failed(stages.DaemonNetworkBridge, b.name, err)
	}
	defer unlock()
	if b.subnet, err = b.chooseSubnet(); err != nil {
		return err
	}
	sp.Instance(b.name)
	sp.Set("network.subnet", b.subnet.String())
	// On disk before the kernel has it: whatever happens now, the next hulld finds it.
	if err := b.save(); err != nil {
		return failed(stages.DaemonNetworkBridge, b.inst.NetworkState(), err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = b.name, MAC(b.gateway()) // a bridge without one of its own changes it with its ports
	br := &netlink.Bridge{LinkAttrs: attrs}
	if err := b.host.LinkAdd(br); err != nil && !errors.Is(err, os.ErrExist) {
		return failed(stages.DaemonNetworkBridge, b.name, fmt.Errorf("RTM_NEWLINK: %w", err))
	}
	defer func() {
		if err != nil {
			b.host.LinkDel(br)
		}
	}()
	for _, set := range [][2]string{
		// The network is IPv4's. A bridge without these would take an address by itself, and believe a container that says it is a router.
		{"ipv6/conf/" + b.name + "/disable_ipv6", "1"},
		// So that the host's own 127.0.0.1:PORT can be sent on to a container; makeTable drops what would come in by that door.
		{"ipv4/conf/" + b.name + "/route_localnet", "1"},
	} {
		if err := sysctl(set[0], set[1]); err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without IPv6 has no such file
			return failed(stages.DaemonNetworkBridge, b.name, err)
		}
	}
	link, err := b.host.LinkByName(b.name)
	if err != nil {
		return failed(stages.DaemonNetworkBridge, b.name, err)
	}
	err = b.host.AddrReplace(link, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(b.gateway(), b.subnet.Bits()))})
	if err == nil {
		err = b.host.LinkSetUp(link)
	}
	if err != nil {
		return failed(stages.DaemonNetworkBridge, b.name, err)
	}
	return nil
}

// gateway is the network's first address: the bridge's own.
func (b *Bridge) gateway() netip.Addr { return b.subnet.Addr().Next() }

// ipNet is the older form of an address with its prefix.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: net.IP(p.Addr().AsSlice()), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func isNotFound(err error) bool {
	return errors.As(err, new(netlink.LinkNotFoundError))
}

func failed(step stages.ID, thing string, err error) error {
	e := &stages.Error{Step: step, Thing: thing, Err: err}
	if errors.Is(err, os.ErrPermission) {
		e.Kind, e.Hint = stages.Denied, "hulld needs CAP_NET_ADMIN for a bridge; --network none and host do without"
	}
	return e
}
