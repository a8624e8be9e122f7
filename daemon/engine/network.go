package engine

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"hull/daemon/network"
	"hull/daemon/spec"
	"hull/daemon/store"
	"hull/stages"
	"hull/trace/span"

	"github.com/moby/moby/api/types/container"
	moby "github.com/moby/moby/api/types/network"
)

// decideNetwork settles at create what the spec must know: which network, and in the bridge which address.
func (e *Engine) decideNetwork(ctx context.Context, req CreateRequest, id string) (place *network.Endpoint, err error) {
	ctx, sp := span.Start(ctx, stages.DaemonNetworkAllocate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return place, err
	}
	mode := req.HostConfig.NetworkMode
	sp.Set("network.mode", string(mode))
	switch {
	case mode.IsContainer():
		other, err := e.registry.find(mode.ConnectedContainer())
		if err != nil {
			return nil, err
		}
		req.HostConfig.NetworkMode = container.NetworkMode("container:" + other.ID)
		req.Config.Hostname = other.Record().Config.Hostname
	case mode == spec.Bridge:
		p, err := e.net.Allocate(ctx, id)
		if err != nil {
			return nil, err
		}
		if mac := spec.MAC(req.NetworkingConfig); mac != "" {
			p.MAC = mac
		}
		sp.Set("network.address", p.Address.String())
		return &p, nil
	}
	return nil, nil
}

// plugNetwork makes the container's network for one run, and returns its place with the ports that are published.
func (e *Engine) plugNetwork(ctx context.Context, rec store.Record) (place *network.Endpoint, err error) {
	ctx, sp := span.Start(ctx, stages.DaemonNetworkPlug)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return place, err
	}
	mode := rec.HostConfig.NetworkMode
	sp.Set("network.mode", string(mode))
	switch {
	case mode.IsContainer():
		other, err := e.registry.find(mode.ConnectedContainer())
		if err != nil {
			return nil, err
		}
		run := other.Record().State
		if run.PID == 0 {
			return nil, failure(stages.Conflict, "cannot join network of a non running container: %s", other.ID)
		}
		return nil, e.net.Join(rec.ID, run.PID)
	case rec.Network == nil:
		return nil, nil
	}
	p := *rec.Network
	if p.Ports = nil; !e.net.Fits(rec.ID, p) { // the network has moved since the container was made
		if p, err = e.move(ctx, rec, p); err != nil {
			return nil, err
		}
	}
	wishes, err := spec.Bindings(rec.Config, rec.HostConfig)
	if err != nil {
		return nil, err
	}
	p.Ports, err = e.net.Plug(ctx, rec.ID, p, wishes)
	var port *network.PortError
	if errors.As(err, &port) { // docker's words
		err = failure(stages.Internal, "failed to set up container networking: driver failed programming external connectivity on endpoint %s (%s): %w", rec.Name, rec.ID, port)
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// move gives a container another address, and tells its /etc/hosts.
func (e *Engine) move(ctx context.Context, rec store.Record, was network.Endpoint) (network.Endpoint, error) {
	e.net.Release(rec.ID, true)
	p, err := e.net.Allocate(ctx, rec.ID)
	if err != nil {
		return p, err
	}
	if was.MAC != macOf(was.Address.Addr()) { // the user's own
		p.MAC = was.MAC
	}
	hosts := network.Hosts(rec.Config.Hostname, rec.Config.Domainname, p.Address.Addr(), rec.HostConfig.ExtraHosts)
	return p, os.WriteFile(filepath.Join(e.store.Dir(&rec), "hosts"), []byte(hosts), 0o644)
}

func macOf(a netip.Addr) string { return network.MAC(a).String() }

// unplugNetwork is the end of a run's network.
func (e *Engine) unplugNetwork(rec store.Record) {
	if rec.Network != nil || rec.HostConfig.NetworkMode.IsContainer() {
		e.net.Unplug(rec.ID)
	}
}

// netnsPath is the namespace that the spec is to name: one that exists before the runtime.
func (e *Engine) netnsPath(rec *store.Record) string {
	if rec.Network != nil || rec.HostConfig.NetworkMode.IsContainer() {
		return e.net.Path(rec.ID)
	}
	return ""
}

// endpointOf is the container's place in docker's form. Without a run there is an address only for us, who keep it.
func endpointOf(rec store.Record) *moby.EndpointSettings {
	s := &moby.EndpointSettings{}
	if rec.Network == nil {
		return s
	}
	if mac, err := net.ParseMAC(rec.Network.MAC); err == nil && (rec.State.PID != 0 || rec.Network.MAC != macOf(rec.Network.Address.Addr())) {
		s.MacAddress = moby.HardwareAddr(mac)
	}
	if rec.State.PID == 0 {
		return s
	}
	s.EndpointID = rec.ID
	s.IPAddress, s.IPPrefixLen, s.Gateway = rec.Network.Address.Addr(), rec.Network.Address.Bits(), rec.Network.Gateway
	return s
}
