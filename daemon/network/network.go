// Package network is the default network: one bridge per instance, and what joins a container to it. It speaks to the kernel by netlink only,
// executes nothing, and keeps no process: packets flow while hulld is dead.
//
//	            eth0 ── veth ──┐                                       ┌── 127.0.0.1:8080
//	container A (its own       ├── bridge hull-HASH ── routing, NAT ───┤
//	  network namespace)       │   172.17.0.1          table hull-HASH └── the outside world
//	container B eth0 ── veth ──┘
//
// It is called by daemon/engine: Allocate at create, Plug before the task is created, Settle once the runtime has made its first process, Unplug
// at the end of the run. A container's network namespace is made here, before the runtime, and held open until the container's process holds
// it: no mount pins it, so the kernel takes it away, and with it the cable, as soon as nobody is left in it.
//
// What must be known after a crash is in two places: addresses and ports in the containers' records, the rest in RUN/network.json.
package network

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"hull/stages/instance"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A Bridge is the default network of one instance. Nothing of it exists in the kernel before the first container that wants it.
type Bridge struct {
	inst instance.Instance
	name string // of the bridge, and of the table of rules
	host *netlink.Handle

	mu     sync.Mutex
	subnet netip.Prefix
	forwas string                // what ip_forward was before us
	ready  bool                  // bridge, forwarding and table are as they should be
	closed bool                  // hulld is ending
	used   map[netip.Addr]string // address: container
	wires  map[string]*wire      // container: its open files here
	going  map[string]*removal   // container: its cable on its way out
}

// A wire is what this process holds of one plugged container.
type wire struct {
	namespace int // descriptor, or -1
	address   netip.Addr
	held      map[Published]*os.File // sockets that keep others from the container's ports
}

// New knows the network of an instance, and reads what an earlier hulld has left.
func New(inst instance.Instance) (*Bridge, error) {
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	b := &Bridge{inst: inst, name: "hull-" + inst.Hash(), host: host, used: map[netip.Addr]string{}, wires: map[string]*wire{}, going: map[string]*removal{}}
	return b, b.load()
}

// kept is RUN/network.json: gone after a reboot, as the kernel's side is.
type kept struct {
	Subnet    netip.Prefix
	IPForward string // what /proc/sys/net/ipv4/ip_forward held before
}

func (b *Bridge) save() error {
	text, err := json.Marshal(kept{b.subnet, b.forwas})
	if err != nil {
		return err
	}
	tmp := b.inst.NetworkState() + ".tmp"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, b.inst.NetworkState())
}

func (b *Bridge) load() error {
	text, err := os.ReadFile(b.inst.NetworkState())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	b.subnet, b.forwas = k.Subnet, k.IPForward
	return err
}

// Allocate gives a container an address. Its record keeps it; until that is written, a crash gives it back.
func (b *Bridge) Allocate(ctx context.Context, id string) (Endpoint, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ensure(ctx); err != nil {
		return Endpoint{}, err
	}
	a, err := b.nextAddress(id)
	if err != nil {
		return Endpoint{}, err
	}
	return Endpoint{Address: netip.PrefixFrom(a, b.subnet.Bits()), Gateway: b.gateway(), MAC: MAC(a).String()}, nil
}

// Reserve makes an address of an earlier hulld's known.
func (b *Bridge) Reserve(id string, e Endpoint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Address.IsValid() {
		b.used[e.Address.Addr()] = id
	}
}

// Fits reports whether an address that was given earlier can still be used: a reboot, or a busy subnet, may have moved the network.
func (b *Bridge) Fits(id string, e Endpoint) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := e.Address.Addr()
	return b.subnet.IsValid() && b.subnet.Contains(a) && e.Address.Bits() == b.subnet.Bits() && e.Gateway == b.gateway() && b.used[a] == id
}

// Close removes the network if no container is plugged in; otherwise containers go on using it. Cables on their way out are waited for.
func (b *Bridge) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for id, r := range b.going {
		b.mu.Unlock()
		<-r.done
		b.mu.Lock()
		delete(b.going, id)
	}
	if len(b.wires) == 0 {
		b.tearDown()
	}
}

// tearDown takes everything back from the kernel. It needs b.mu.
func (b *Bridge) tearDown() {
	if !b.subnet.IsValid() {
		return
	}
	b.ready = false
	report("the table of rules", b.deleteTable())
	if link, err := b.host.LinkByName(b.name); err == nil {
		report("the bridge", b.host.LinkDel(link))
	}
	report("ip_forward", b.unforward())
	report("network.json", os.Remove(b.inst.NetworkState()))
	b.subnet, b.forwas = netip.Prefix{}, ""
}

func report(what string, err error) {
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
		slog.Error("network: "+what, "error", err.Error())
	}
}

// Path is where a container's network namespace is found, whoever holds it: a link into /proc. It is the path in config.json, and serves
// nsenter --net=PATH as well.
func (b *Bridge) Path(id string) string { return filepath.Join(b.inst.NetNamespaces(), id) }
