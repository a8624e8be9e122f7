package collect

import (
	"fmt"
	"net"
	"os"
	"strings"

	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// lookAtNetwork reads the network back when the runtime begins: by then it is whole, and nobody can have left it. What is looked at is the
// namespace that config.json names, from inside, and hull-trace's own, which is the host's: hulld's.
func (c *collector) lookAtNetwork(r *run, spec *specs.Spec) {
	path := networkPath(spec)
	if path == "" {
		return // the runtime makes one, or there is none: no step claims more
	}
	name := "hull-" + c.inst.Hash()
	ns, err := netns.GetFromPath(path)
	if err != nil {
		r.saw(stages.StateNetNamespace, false, "%s: %v", path, err)
		return
	}
	defer ns.Close()
	inside, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		r.saw(stages.StateNetNamespace, false, "%s: %v", path, err)
		return
	}
	defer inside.Close()
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return
	}
	defer host.Close()
	n := networkLook{run: r, inside: inside, host: host}
	n.namespace(path, ns)
	n.bridge(name)
	n.cable()
	n.address()
	n.route()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
	r.saw(stages.StateNetForward, err == nil && strings.TrimSpace(string(text)) == "1", "net.ipv4.ip_forward is %s", strings.TrimSpace(string(text)))
	lookAtPorts(r)
	lookAtRules(r, name)
}

func networkPath(spec *specs.Spec) string {
	if spec == nil || spec.Linux == nil {
		return ""
	}
	for _, n := range spec.Linux.Namespaces {
		if n.Type == specs.NetworkNamespace {
			return n.Path
		}
	}
	return ""
}

// A networkLook is one container's network, looked at from both sides.
type networkLook struct {
	run          *run
	inside, host *netlink.Handle
	link         netlink.Link   // the bridge
	at           []netlink.Addr // its addresses
}

func (n *networkLook) namespace(path string, ns netns.NsHandle) {
	own, err := netns.GetFromPath("/proc/self/ns/net")
	if err != nil {
		return
	}
	defer own.Close()
	var st unix.Stat_t
	unix.Fstat(int(ns), &st)
	lo, err := n.inside.LinkByName("lo")
	up := err == nil && lo.Attrs().Flags&net.FlagUp != 0
	n.run.saw(stages.StateNetNamespace, up && !ns.Equal(own), "%s is net:[%d], its loopback is up: %v", path, st.Ino, up)
}

func (n *networkLook) bridge(name string) {
	link, err := n.host.LinkByName(name)
	if err != nil {
		n.run.saw(stages.StateNetBridge, false, "%s: %v", name, err)
		return
	}
	n.link = link
	n.at, err = n.host.AddrList(link, unix.AF_INET)
	n.run.saw(stages.StateNetBridge, err == nil && link.Type() == "bridge" && link.Attrs().Flags&net.FlagUp != 0 && len(n.at) == 1,
		"%s is a %s, flags %s, addresses %v", name, link.Type(), link.Attrs().Flags, n.at)
}

// cable follows eth0 to its other end, by the interface's number, and that to the bridge.
func (n *networkLook) cable() {
	eth0, err := n.inside.LinkByName("eth0")
	if err != nil {
		n.run.saw(stages.StateNetVeth, false, "eth0: %v", err)
		return
	}
	other, err := n.host.LinkByIndex(eth0.Attrs().ParentIndex)
	if err != nil {
		n.run.saw(stages.StateNetVeth, false, "eth0's other end, number %d: %v", eth0.Attrs().ParentIndex, err)
		return
	}
	ok := eth0.Type() == "veth" && other.Type() == "veth" && other.Attrs().ParentIndex == eth0.Attrs().Index && n.link != nil &&
		other.Attrs().MasterIndex == n.link.Attrs().Index && other.Attrs().Flags&net.FlagUp != 0
	n.run.saw(stages.StateNetVeth, ok, "eth0 is a %s, its other end %s is a port of link %d, flags %s", eth0.Type(), other.Attrs().Name, other.Attrs().MasterIndex, other.Attrs().Flags)
}

func (n *networkLook) address() {
	eth0, err := n.inside.LinkByName("eth0")
	var list []netlink.Addr
	if err == nil {
		list, err = n.inside.AddrList(eth0, unix.AF_INET)
	}
	ok := err == nil && len(list) == 1 && len(n.at) == 1 && n.at[0].Contains(list[0].IP) && !n.at[0].IP.Equal(list[0].IP)
	n.run.saw(stages.StateNetAddress, ok, "eth0 has %v, the bridge %v", list, n.at)
}

func (n *networkLook) route() {
	routes, err := n.inside.RouteList(nil, unix.AF_INET)
	said, ok := "no default route", false
	for _, r := range routes {
		if r.Dst == nil || r.Dst.IP.IsUnspecified() {
			said, ok = fmt.Sprintf("default via %s", r.Gw), len(n.at) == 1 && r.Gw.Equal(n.at[0].IP)
		}
	}
	if err != nil {
		said = err.Error()
	}
	n.run.saw(stages.StateNetRoute, ok, "%s; the bridge has %v", said, n.at)
}
