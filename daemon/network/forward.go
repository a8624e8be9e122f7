package network

import (
	"context"
	"os"
	"strings"

	"hull/stages"
	"hull/trace/span"
)

const ipForward = "ipv4/ip_forward"

// forward makes this network namespace a router, as docker does: without it the kernel hands over no packet from one interface to another.
// What was there is kept, so that it can be put back.
func (b *Bridge) forward(ctx context.Context) (err error) {
	_, sp := span.Start(ctx, stages.DaemonNetworkForward)
	defer sp.End(&err)
	text, err := os.ReadFile("/proc/sys/net/" + ipForward)
	if err != nil {
		return failed(stages.DaemonNetworkForward, ipForward, err)
	}
	was := strings.TrimSpace(string(text))
	sp.Set("network.forward.before", was)
	if b.forwas == "" {
		if b.forwas = was; was == "1" {
			return b.save()
		}
		if err := b.save(); err != nil {
			return err
		}
	}
	if was == "1" {
		return nil
	}
	if err := sysctl(ipForward, "1"); err != nil {
		return failed(stages.DaemonNetworkForward, ipForward, err)
	}
	return nil
}

// unforward puts back what was there, unless another instance's bridge still needs it.
func (b *Bridge) unforward() error {
	if b.forwas != "0" {
		return nil
	}
	links, err := b.host.LinkList()
	if err != nil {
		return err
	}
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, "hull-") && l.Attrs().Name != b.name {
			return nil
		}
	}
	return sysctl(ipForward, "0")
}

// sysctl writes a parameter of this thread's network namespace (proc(5), /proc/sys/net).
func sysctl(name, value string) error {
	return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
}
