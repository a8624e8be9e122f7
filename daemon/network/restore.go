package network

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
)

// Adopt makes a container known that was plugged in by an earlier hulld and still runs.
func (b *Bridge) Adopt(id string, e Endpoint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &wire{namespace: -1, address: e.Address.Addr(), held: map[Published]*os.File{}}
	b.wires[id] = w
	for _, p := range e.Ports {
		f, _, err := hold(p.Proto, netip.AddrPortFrom(p.HostIP, p.HostPort))
		if err != nil { // taken while nobody was here: the rule comes first, so the container keeps what it had
			slog.Warn("network: a published port is held by another program as well", "port", p.String(), "error", err.Error())
		}
		w.held[p] = f
	}
}

// Sweep brings the kernel's state into line with what is known: rules are written anew for the containers that live, and cables and paths
// of others go. It runs once, after the containers of an earlier hulld have been looked at and before there can be new ones.
func (b *Bridge) Sweep(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	entries, _ := os.ReadDir(b.inst.NetNamespaces())
	for _, e := range entries {
		if b.wires[e.Name()] == nil {
			if _, err := os.Stat(b.Path(e.Name())); err != nil || strings.HasSuffix(e.Name(), ".tmp") {
				report("path", os.Remove(b.Path(e.Name()))) // it leads nowhere
			}
		}
	}
	if len(b.wires) == 0 {
		b.tearDown()
		return
	}
	if err := b.ensure(ctx); err != nil {
		report("restore", err)
		return
	}
	mine := map[string]bool{}
	for id := range b.wires {
		mine[cable(id)] = true
	}
	bridge, err := b.host.LinkByName(b.name)
	if err != nil {
		report("restore", err)
		return
	}
	links, err := b.host.LinkList()
	report("restore", err)
	for _, l := range links {
		if _, veth := l.(*netlink.Veth); veth && l.Attrs().MasterIndex == bridge.Attrs().Index && !mine[l.Attrs().Name] {
			slog.Warn("network: a cable without a container is removed", "link", l.Attrs().Name)
			report("cable", b.host.LinkDel(l))
		}
	}
}
