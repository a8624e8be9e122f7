// Package networktest gives tests network namespaces of their own: what a test does to links, rules and forwarding never reaches the
// machine's. Every test that starts a hulld starts it in one.
package networktest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"hull/stages/probetest"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A Namespace is a network namespace that lives as long as the test, and longer only if a process is left in it.
type Namespace struct {
	t    testing.TB
	file *os.File
}

// New makes one, with its loopback up.
func New(t testing.TB) *Namespace {
	t.Helper()
	probetest.Need(t, "root")
	n := &Namespace{t: t}
	err := apart(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			n.file, err = os.Open("/proc/thread-self/ns/net")
		}
		if err != nil {
			return err
		}
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		return err
	})
	if err != nil {
		t.Fatalf("a network namespace: %v", err)
	}
	t.Cleanup(func() { n.file.Close() })
	return n
}

// Do runs f on a thread in the namespace. What f starts is in it as well; goroutines of f's are not.
func (n *Namespace) Do(f func() error) error {
	return apart(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("setns: %w", err)
		}
		return f()
	})
}

// apart runs f on a thread that ends with it. The main thread cannot end (Go, runtime/proc.go mexit): it would keep the namespace.
func apart(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- apart(f)
			runtime.UnlockOSThread()
			return
		}
		done <- f()
	}()
	return <-done
}

// Start starts the command in the namespace. It must have no Pdeathsig: its parent thread does not stay (probetest.StartTied).
func (n *Namespace) Start(cmd *exec.Cmd) error { return n.Do(cmd.Start) }

// Run runs the command in the namespace, to its end.
func (n *Namespace) Run(cmd *exec.Cmd) error {
	if err := n.Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// Links are the namespace's interfaces.
func (n *Namespace) Links() []netlink.Link {
	n.t.Helper()
	list, err := n.handle().LinkList()
	if err != nil {
		n.t.Fatal(err)
	}
	return list
}

// Connect joins two namespaces by a cable, with these addresses ("10.9.0.1/24"): eth0 in b, and in a as well, unless it has a name.
func Connect(a *Namespace, addressA string, b *Namespace, addressB string, name ...string) {
	a.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = append(name, "eth0")[0]
	err := a.handle().LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(b.file.Fd())})
	if err != nil {
		a.t.Fatalf("veth: %v", err)
	}
	for n, address := range map[*Namespace]string{a: addressA, b: addressB} {
		h := n.handle()
		link := "eth0"
		if n == a {
			link = attrs.Name
		}
		eth0, err := h.LinkByName(link)
		if err == nil {
			var addr *netlink.Addr
			if addr, err = netlink.ParseAddr(address); err == nil {
				err = h.AddrAdd(eth0, addr)
			}
		}
		if err == nil {
			err = h.LinkSetUp(eth0)
		}
		if err != nil {
			a.t.Fatalf("eth0 %s: %v", address, err)
		}
	}
}

// Route adds a route to the namespace, such as "172.17.0.0/16" via "10.9.0.1".
func (n *Namespace) Route(to, via string) {
	n.t.Helper()
	_, dst, err := net.ParseCIDR(to)
	if err == nil {
		err = n.handle().RouteAdd(&netlink.Route{Dst: dst, Gw: net.ParseIP(via)})
	}
	if err != nil {
		n.t.Fatalf("route %s via %s: %v", to, via, err)
	}
}

func (n *Namespace) handle() *netlink.Handle {
	n.t.Helper()
	h, err := netlink.NewHandleAt(netns.NsHandle(n.file.Fd()), unix.NETLINK_ROUTE)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(h.Close)
	return h
}

// Dial connects from inside the namespace. A socket stays where it was made, whichever thread uses it.
func (n *Namespace) Dial(network, address string) (net.Conn, error) {
	return n.dial(network, address, limit)
}

// Closed reports whether no connection comes about: nothing answers, or a refusal does. A packet that is dropped is known only by waiting, so
// this is not certain; that an open port is found open in time is.
func (n *Namespace) Closed(address string) bool {
	c, err := n.dial("tcp4", address, time.Second)
	if err == nil {
		c.Close()
	}
	return err != nil
}

func (n *Namespace) dial(network, address string, limit time.Duration) (c net.Conn, err error) {
	err = n.Do(func() error { c, err = (&net.Dialer{Timeout: limit}).Dial(network, address); return err })
	return c, err
}

// Listen listens inside the namespace until the test ends.
func (n *Namespace) Listen(network, address string) (l net.Listener, err error) {
	err = n.Do(func() error { l, err = net.Listen(network, address); return err })
	if err == nil {
		n.t.Cleanup(func() { l.Close() })
	}
	return l, err
}

// Open takes an existing namespace by its path.
func Open(t testing.TB, path string) *Namespace {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &Namespace{t: t, file: f}
}

// Tables are the names of the namespace's tables of rules.
func (n *Namespace) Tables() (names []string) {
	n.t.Helper()
	conn, err := nftables.New(nftables.WithNetNSFd(int(n.file.Fd())))
	if err != nil {
		n.t.Fatal(err)
	}
	tables, err := conn.ListTables()
	if err != nil {
		n.t.Fatal(err)
	}
	for _, table := range tables {
		names = append(names, table.Name)
	}
	return names
}

// Flush removes all rules of the namespace, as a firewall's restart does.
func (n *Namespace) Flush() {
	n.t.Helper()
	conn, err := nftables.New(nftables.WithNetNSFd(int(n.file.Fd())))
	if err == nil {
		conn.FlushRuleset()
		err = conn.Flush()
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// Sysctl reads a parameter of the namespace, such as "ipv4/ip_forward"; with a value, it is written first.
func (n *Namespace) Sysctl(name string, value ...string) (text string) {
	n.t.Helper()
	err := n.Do(func() error {
		path := "/proc/sys/net/" + name
		for _, v := range value {
			if err := os.WriteFile(path, []byte(v), 0o644); err != nil {
				return err
			}
		}
		b, err := os.ReadFile(path)
		text = strings.TrimSpace(string(b))
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return text
}

// TakeLoopbackAway makes 127.0.0.0/8 an address of others: packets to it leave by eth0. No honest host does so.
func (n *Namespace) TakeLoopbackAway(via string) {
	n.t.Helper()
	h := n.handle()
	lo, err := h.LinkByName("lo")
	var addrs []netlink.Addr
	if err == nil {
		addrs, err = h.AddrList(lo, unix.AF_INET)
	}
	for i := range addrs {
		err = errors.Join(err, h.AddrDel(lo, &addrs[i]))
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.Sysctl("ipv4/conf/eth0/route_localnet", "1")
	n.Route("127.0.0.0/8", via)
}

// limit bounds what would otherwise hang: a packet that a rule drops has no answer.
const limit = 10 * time.Second

func deadline() time.Time { return time.Now().Add(limit) }
