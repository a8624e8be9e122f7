package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"hull/stages"
	"hull/trace/span"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inNewNamespace makes a network namespace and runs do in it. unshare(2) gives the calling thread a network of its own, with nothing but a
// loopback that is down; the thread ends with do. What keeps the namespace is the descriptor.
func inNewNamespace(do func(fd int) error) error {
	return apart(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return failed(stages.DaemonNetworkNamespace, "unshare", err)
		}
		fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return failed(stages.DaemonNetworkNamespace, "/proc/thread-self/ns/net", err)
		}
		if err = do(fd); err != nil {
			unix.Close(fd)
		}
		return err
	})
}

// Plug makes a container's network: a namespace, a cable into it, address and route, and its ports on the host. The namespace is there before
// the runtime, which only joins it. After an error nothing of it is left.
func (b *Bridge) Plug(ctx context.Context, id string, e Endpoint, wishes []Binding) (_ []Published, err error) {
	b.mu.Lock()
	err = b.ensure(ctx)
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	b.awaitRemoval(id)
	w := &wire{namespace: -1, address: e.Address.Addr(), held: map[Published]*os.File{}}
	b.mu.Lock()
	b.wires[id] = w
	b.mu.Unlock()
	defer func() {
		if err != nil {
			b.Unplug(id)
		}
	}()
	err = inNewNamespace(func(fd int) error {
		inside, err := b.beginInside(ctx, id, fd)
		if err != nil {
			return err
		}
		defer inside.Close()
		if err := b.connect(ctx, id, e, fd); err != nil {
			return err
		}
		if err := configure(ctx, inside, e); err != nil {
			return err
		}
		w.namespace = fd
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.publish(ctx, id, e, wishes)
}

// beginInside sets up what a namespace has by itself, and makes it known under its path.
func (b *Bridge) beginInside(ctx context.Context, id string, fd int) (inside *netlink.Handle, err error) {
	_, sp := span.Start(ctx, stages.DaemonNetworkNamespace)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return inside, err
	}
	sp.Set("network.namespace", b.Path(id))
	// The socket belongs to the namespace in which it is made (netlink(7)): from now on it does not matter which thread uses it.
	if inside, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, failed(stages.DaemonNetworkNamespace, id, err)
	}
	defer func() {
		if err != nil {
			inside.Close()
		}
	}()
	// IPv4 only: interfaces that come into this namespace take no IPv6 address by themselves. The loopback keeps ::1.
	if err := sysctl("ipv6/conf/default/disable_ipv6", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, failed(stages.DaemonNetworkNamespace, id, err)
	}
	lo, err := inside.LinkByName("lo")
	if err == nil {
		err = inside.LinkSetUp(lo) // it is down in a new namespace: not even 127.0.0.1 answers
	}
	if err == nil {
		err = b.link(id, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd))
	}
	if err != nil {
		return nil, failed(stages.DaemonNetworkNamespace, id, err)
	}
	return inside, nil
}

// link points the container's path at whoever holds its namespace. rename(2), so that the path leads somewhere at every moment.
func (b *Bridge) link(id, to string) error {
	if err := os.MkdirAll(b.inst.NetNamespaces(), 0o700); err != nil {
		return err
	}
	tmp := b.Path(id) + ".tmp"
	os.Remove(tmp)
	if err := os.Symlink(to, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, b.Path(id))
}

// connect makes the cable: a veth pair (veth(4)), one end called eth0 in the container's namespace, the other in the bridge. One message makes
// both ends and puts each where it belongs: neither is ever in the wrong place.
func (b *Bridge) connect(ctx context.Context, id string, e Endpoint, fd int) (err error) {
	_, sp := span.Start(ctx, stages.DaemonNetworkVeth)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	mac, err := net.ParseMAC(e.MAC)
	if err != nil {
		return failed(stages.DaemonNetworkVeth, e.MAC, err)
	}
	bridge, err := b.host.LinkByName(b.name)
	if err != nil {
		return failed(stages.DaemonNetworkVeth, b.name, err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MasterIndex = cable(id), bridge.Attrs().Index
	sp.Set("network.veth", attrs.Name)
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerHardwareAddr: mac, PeerNamespace: netlink.NsFd(fd)}
	if err := b.host.LinkAdd(veth); err != nil {
		return failed(stages.DaemonNetworkVeth, attrs.Name, fmt.Errorf("RTM_NEWLINK: %w", err))
	}
	if err := b.hostSysctl("ipv6/conf/"+attrs.Name+"/disable_ipv6", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return failed(stages.DaemonNetworkVeth, attrs.Name, err)
	}
	if err := b.host.LinkSetUp(veth); err != nil {
		return failed(stages.DaemonNetworkVeth, attrs.Name, err)
	}
	return nil
}

// hostSysctl writes a parameter of hulld's own network namespace: /proc/sys/net answers by the thread that opens it, and the caller's thread is
// the container's at that moment.
func (b *Bridge) hostSysctl(name, value string) error {
	result := make(chan error, 1)
	go func() { result <- sysctl(name, value) }() // another goroutine is on another thread: this one's is locked
	return <-result
}

// cable is the name of the host's end: 15 characters, the longest that a link may have.
func cable(id string) string { return "veth" + id[:11] }

// configure gives eth0 its address and the way out.
func configure(ctx context.Context, inside *netlink.Handle, e Endpoint) error {
	eth0, err := address(ctx, inside, e)
	if err != nil {
		return err
	}
	_, sp := span.Start(ctx, stages.DaemonNetworkRoute)
	defer sp.End(&err)
	if err = sp.Fault(); err != nil {
		return err
	}
	sp.Set("network.route", "default via "+e.Gateway.String())
	err = inside.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: e.Gateway.AsSlice()})
	if err != nil {
		err = failed(stages.DaemonNetworkRoute, "default via "+e.Gateway.String(), fmt.Errorf("RTM_NEWROUTE: %w", err))
	}
	return err
}

func address(ctx context.Context, inside *netlink.Handle, e Endpoint) (eth0 netlink.Link, err error) {
	_, sp := span.Start(ctx, stages.DaemonNetworkAddress)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return eth0, err
	}
	sp.Set("network.address", e.Address.String())
	eth0, err = inside.LinkByName("eth0")
	if err == nil {
		err = inside.AddrAdd(eth0, &netlink.Addr{IPNet: ipNet(e.Address)})
	}
	if err == nil {
		err = inside.LinkSetUp(eth0)
	}
	if err != nil {
		return nil, failed(stages.DaemonNetworkAddress, e.Address.String(), fmt.Errorf("RTM_NEWADDR: %w", err))
	}
	return eth0, nil
}

// Settle hands the namespace over to the container's first process: hulld lets it go, and the path leads through the process.
func (b *Bridge) Settle(id string, pid int) error {
	b.mu.Lock()
	w := b.wires[id]
	b.mu.Unlock()
	if err := b.link(id, "/proc/"+strconv.Itoa(pid)+"/ns/net"); err != nil {
		return failed(stages.DaemonNetworkNamespace, b.Path(id), err)
	}
	if w != nil && w.namespace >= 0 {
		unix.Close(w.namespace)
		w.namespace = -1
	}
	return nil
}

// Join makes the path of a container that shares another's namespace: it leads to that one's process.
func (b *Bridge) Join(id string, pid int) error {
	if err := b.link(id, "/proc/"+strconv.Itoa(pid)+"/ns/net"); err != nil {
		return failed(stages.DaemonNetworkNamespace, b.Path(id), err)
	}
	return nil
}

// Unplug takes a container's network back: its rules, its ports, its path, its cable. What is not there is no error.
func (b *Bridge) Unplug(id string) {
	b.mu.Lock()
	w := b.wires[id]
	delete(b.wires, id)
	b.mu.Unlock()
	report("path of "+id, os.Remove(b.Path(id)))
	if w == nil {
		return
	}
	report("rules of "+id, b.unpublish(id, w))
	if w.namespace >= 0 {
		unix.Close(w.namespace)
		w.namespace = -1
	}
	b.remove(id)
}
