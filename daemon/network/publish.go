package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"hull/stages"
	"hull/trace/span"

	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// publish makes a container's ports reachable: each is taken on the host, and then all their rules come into force at once.
func (b *Bridge) publish(ctx context.Context, id string, e Endpoint, wishes []Binding) (done []Published, err error) {
	for _, w := range wishes {
		p, err := b.take(ctx, id, e, w)
		if err != nil {
			return nil, err
		}
		done = append(done, p)
	}
	if len(done) == 0 {
		return nil, nil
	}
	if err := b.hairpin(id); err != nil {
		return nil, err
	}
	r, err := b.rules()
	if err != nil {
		return nil, failed(stages.DaemonNetworkRule, b.name, err)
	}
	var spans []*span.Span
	for _, p := range done {
		_, sp := span.Start(ctx, stages.DaemonNetworkRule)
		if err := sp.Fault(); err != nil {
			sp.End(&err)
			return done, err
		}
		sp.Instance(p.rule(e.Address.Addr()))
		spans = append(spans, sp)
		r.publish(id, e.Address.Addr(), p)
	}
	b.mu.Lock() // not beside makeTable, which would write the same rules once more
	if err = r.conn.Flush(); err != nil {
		err = failed(stages.DaemonNetworkRule, b.name, fmt.Errorf("nf_tables: %w", err))
	}
	b.mu.Unlock()
	for _, sp := range spans {
		sp.End(&err)
	}
	return done, err
}

// hairpin lets the bridge send a frame back to where it came from: a container that asks for its own published port, by the host's address, is
// redirected to itself (Linux br_netfilter rewrites and bridges such a frame without routing it).
func (b *Bridge) hairpin(id string) error {
	link, err := b.host.LinkByName(cable(id))
	if err == nil {
		err = b.host.LinkSetHairpin(link, true)
	}
	if err != nil {
		return failed(stages.DaemonNetworkRule, cable(id), fmt.Errorf("IFLA_BRPORT_MODE: %w", err))
	}
	return nil
}

// publish is the rule of one port. Its comment is the container's: by it the rule is found again.
func (r *ruleset) publish(id string, to netip.Addr, p Published) {
	parts := []match{toPort(p.Proto, p.HostPort), redirect(to, p.Port)}
	if !p.HostIP.IsUnspecified() {
		parts = slices.Insert(parts, 0, toAddress(p.HostIP))
	}
	r.add(published, id[:12], parts...)
}

// unpublish removes a container's rules, then lets its ports go.
func (b *Bridge) unpublish(id string, w *wire) error {
	if len(w.held) == 0 {
		return nil
	}
	defer func() {
		for _, f := range w.held {
			f.Close()
		}
	}()
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.rules()
	if err != nil {
		return err
	}
	rules, err := r.conn.GetRules(r.table, r.chain(published))
	if err != nil {
		return err
	}
	for _, rule := range rules {
		if comment, ok := userdata.GetString(rule.UserData, userdata.TypeComment); ok && comment == id[:12] {
			if err := r.conn.DelRule(rule); err != nil {
				return err
			}
		}
	}
	return r.conn.Flush()
}

// take finds the first free port of a wish and holds it.
func (b *Bridge) take(ctx context.Context, id string, e Endpoint, w Binding) (p Published, err error) {
	_, sp := span.Start(ctx, stages.DaemonNetworkPort)
	defer func() { sp.Instance(p.String()); sp.End(&err) }()
	if err := sp.Fault(); err != nil {
		return p, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for port := int(w.First); port <= int(w.Last); port++ {
		p = Published{Proto: w.Proto, Port: w.Port, HostIP: w.HostIP, HostPort: uint16(port)}
		if err = b.takeOne(id, &p); err == nil {
			return p, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			break
		}
	}
	return p, &PortError{netip.AddrPortFrom(w.HostIP, p.HostPort), netip.AddrPortFrom(e.Address.Addr(), w.Port), w.Proto, err}
}

// A PortError is a port of the host that could not be had. It speaks in docker's words (moby, daemon/libnetwork/portallocator and portmapper).
type PortError struct {
	Host, Container netip.AddrPort
	Proto           string
	Err             error // an errno
}

func (e *PortError) Error() string {
	if errors.Is(e.Err, errAllocated) {
		return fmt.Sprintf("Bind for %s failed: port is already allocated", e.Host)
	}
	return fmt.Sprintf("failed to bind host port for %s:%s/%s: %v", e.Host, e.Container, e.Proto, e.Err)
}

func (e *PortError) Unwrap() error { return e.Err }

// errAllocated is another container of ours.
var errAllocated = fmt.Errorf("port is already allocated: %w", unix.EADDRINUSE)

// takeOne holds one port, or tells who has it.
func (b *Bridge) takeOne(id string, p *Published) error {
	for _, w := range b.wires {
		for q := range w.held {
			if p.HostPort != 0 && q.HostPort == p.HostPort && q.Proto == p.Proto && (q.HostIP == p.HostIP || q.HostIP.IsUnspecified() || p.HostIP.IsUnspecified()) {
				return errAllocated
			}
		}
	}
	f, port, err := hold(p.Proto, netip.AddrPortFrom(p.HostIP, p.HostPort))
	if err != nil {
		return err
	}
	p.HostPort = port
	b.wires[id].held[*p] = f
	return nil
}

// hold binds a socket to a port of the host, so that no other program can have it, and a port that another has is noticed. Nobody ever reads
// from it: the rule sends packets on before they could reach it, and a filter that accepts nothing (socket(7) SO_ATTACH_FILTER) stands for
// the moments in which there is no rule.
func hold(proto string, at netip.AddrPort) (*os.File, uint16, error) {
	kind := unix.SOCK_STREAM
	if proto == "udp" {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	f := os.NewFile(uintptr(fd), at.String())
	filter := [1]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &filter[0]})
	if err == nil && kind == unix.SOCK_STREAM { // connections of an earlier holder that still fade away are no hindrance (tcp(7) TIME_WAIT)
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	}
	if err == nil && kind == unix.SOCK_STREAM { // bound alone, the port could be shared by SO_REUSEADDR
		err = unix.Listen(fd, 0)
	}
	var name unix.Sockaddr
	if err == nil {
		name, err = unix.Getsockname(fd)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, uint16(name.(*unix.SockaddrInet4).Port), nil
}
