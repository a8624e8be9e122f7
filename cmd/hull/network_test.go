package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hull/daemon/network/networktest"

	"github.com/stretchr/testify/require"
)

// A world is an instance in a network of its own, and another network that stands for the rest of the world: 10.9.0.1 is the host, 10.9.0.2
// somebody outside.
type world struct {
	*engine
	outside *networktest.Namespace
}

func newWorld(t *testing.T) *world {
	w := &world{engine: up(t), outside: networktest.New(t)}
	networktest.Connect(w.net, "10.9.0.1/24", w.outside, "10.9.0.2/24")
	w.net.Sysctl("ipv4/ip_forward", "0") // a new namespace may have the machine's
	t.Cleanup(func() {                   // before up's own: the instance is still there
		w.ok("down")
		require.Equal(t, []string{"eth0", "lo"}, w.links(), "hull down leaves no bridge and no cable")
		require.Empty(t, w.net.Tables(), "and no rules")
		require.Equal(t, "0", w.net.Sysctl("ipv4/ip_forward"), "and forwarding as it was")
		require.NoFileExists(t, w.inst.NetworkState())
	})
	return w
}

// links are the names of the host's interfaces, in order.
func (w *world) links() (names []string) {
	for _, l := range w.net.Links() {
		names = append(names, l.Attrs().Name)
	}
	slices.Sort(names)
	return names
}

// A guest is a running container, whose network the test can enter.
type guest struct {
	*networktest.Namespace
	id, ip string
}

// start runs a container that sleeps, and removes it at the test's end.
func (w *world) start(t *testing.T, flags ...string) guest {
	t.Helper()
	id := strings.TrimSpace(w.ok(append(append([]string{"run", "-d"}, flags...), "busybox", "sleep", "100000")...))
	t.Cleanup(func() { w.ok("rm", "-f", id) })
	return w.guest(t, id)
}

func (w *world) guest(t *testing.T, id string) guest {
	return guest{networktest.Open(t, filepath.Join(w.inst.NetNamespaces(), id)), id, w.settings(id).IPAddress}
}

type settings struct {
	IPAddress, Gateway, MacAddress, SandboxKey string
	IPPrefixLen                                int
	Ports                                      map[string][]struct{ HostIP, HostPort string }
	Networks                                   map[string]struct{ IPAddress, MacAddress string }
}

func (w *world) settings(id string) settings {
	w.t.Helper()
	var list []struct{ NetworkSettings settings }
	require.NoError(w.t, json.Unmarshal([]byte(w.ok("inspect", id)), &list))
	return list[0].NetworkSettings
}

// from requires that somebody reaches the address, and returns as whom.
func from(t *testing.T, who *networktest.Namespace, address string) string {
	t.Helper()
	c, err := who.Reach(address)
	require.NoError(t, err, address)
	defer c.Close()
	return c.From
}

// TestNetwork is the default network from every side. The subtests share the instance; each clears up behind itself.
func TestNetwork(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, []string{"eth0", "lo"}, w.links(), "without a container that wants it there is no bridge")
	for _, test := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"inside", testInside},
		{"outwards", testOutwards},
		{"published", testPublished},
		{"loopback only", testLoopbackOnly},
		{"strangers", testStrangers},
		{"neighbours", testNeighbours},
		{"two instances", testTwoInstances},
		{"port forms", testPortForms},
		{"conflicts", testPortConflicts},
		{"modes", testNetworkModes},
		{"docker", testDockerNetwork},
		{"restart", testNetworkRestart},
		{"crash", testNetworkCrash},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, w) })
		require.Empty(t, strings.Fields(w.ok("ps", "-aq")), test.name)
		bridge := "hull-" + w.inst.Hash()
		w.until(test.name+": only the bridge is left of "+fmt.Sprint(w.links()), func() bool { return strings.Join(w.links(), " ") == "eth0 "+bridge+" lo" })
		left, _ := os.ReadDir(w.inst.NetNamespaces())
		require.Empty(t, left, test.name)
	}
}

// testInside looks at the container's network from inside: one interface, docker's addresses and files, no IPv6.
func testInside(t *testing.T, w *world) {
	g := w.start(t, "--hostname", "box", "--name", "inside")
	s := w.settings(g.id)
	require.Equal(t, "172.17.0.2", s.IPAddress)
	require.Equal(t, "172.17.0.1", s.Gateway)
	require.Equal(t, 16, s.IPPrefixLen)
	require.Equal(t, "02:42:ac:11:00:02", s.MacAddress)
	require.Equal(t, "172.17.0.2", s.Networks["bridge"].IPAddress)
	require.Equal(t, filepath.Join(w.inst.NetNamespaces(), g.id), s.SandboxKey)
	var names []string
	for _, l := range g.Links() {
		names = append(names, l.Attrs().Name)
		require.NotZero(t, l.Attrs().Flags&1, "%s is up", l.Attrs().Name)
	}
	require.Equal(t, []string{"lo", "eth0"}, names)

	out := w.ok("run", "--rm", "--hostname", "box2", "--dns", "9.9.9.9", "--dns-search", "example.org", "--add-host", "db:10.1.2.3", "busybox", "sh", "-c",
		"ip -4 addr show eth0; ip route; cat /proc/net/if_inet6 /etc/hosts /etc/hostname /etc/resolv.conf; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6")
	require.Contains(t, out, "inet 172.17.0.3/16 brd 172.17.255.255")
	require.Contains(t, out, "default via 172.17.0.1 dev eth0")
	require.NotContains(t, out, "fe80", "no interface but the loopback has an IPv6 address")
	require.Contains(t, out, "172.17.0.3\tbox2\n")
	require.Contains(t, out, "10.1.2.3\tdb\n")
	require.Contains(t, out, "\nbox2\n")
	require.Contains(t, out, "nameserver 9.9.9.9\nsearch example.org\n")
	require.Contains(t, out, "\n1\n")

	w.ok("rm", "-f", g.id)
	require.NotContains(t, w.links(), "veth"+g.id[:11], "rm returns when the cable is gone")
	g = w.start(t, "--mac-address", "02:42:00:00:00:99")
	require.Equal(t, "172.17.0.2", g.ip, "an address that is free again is given again")
	require.Equal(t, "02:42:00:00:00:99", w.settings(g.id).MacAddress)
	for _, l := range g.Links() {
		if l.Attrs().Name == "eth0" {
			require.Equal(t, "02:42:00:00:00:99", l.Attrs().HardwareAddr.String())
		}
	}
}

// testOutwards: the world sees the host's address, not the container's.
func testOutwards(t *testing.T, w *world) {
	g := w.start(t)
	w.outside.Serve("10.9.0.2:700")
	require.Equal(t, "10.9.0.1", from(t, g.Namespace, "10.9.0.2:700"), "masqueraded")
	w.outside.ServeUDP("10.9.0.2:700")
	seen, err := g.ReachUDP("10.9.0.2:700")
	require.NoError(t, err)
	require.Equal(t, "10.9.0.1", seen)
	w.net.Serve("172.17.0.1:701")
	require.Equal(t, g.ip, from(t, g.Namespace, "172.17.0.1:701"), "the gateway knows its containers")
}

// testPublished: a port of the host leads to the container from everywhere, and the container sees who asks.
func testPublished(t *testing.T, w *world) {
	g := w.start(t, "-p", "8080:80", "-p", "5353:53/udp", "-p", "10.9.0.1:8443:443")
	g.Serve(":80")
	g.Serve(":443")
	g.ServeUDP(g.ip + ":53") // an address of its own: the answer must come from where the question went
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8080"), "from outside")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8443"), "on the one address that was asked for")
	require.Equal(t, "10.9.0.1", from(t, w.net, "10.9.0.1:8080"), "from the host, by its address")
	require.Equal(t, "172.17.0.1", from(t, w.net, "127.0.0.1:8080"), "from the host, by its loopback: the container sees the gateway and not 127.0.0.1")
	require.Equal(t, "172.17.0.1", from(t, w.net, "172.17.0.1:8080"), "from the host, by the gateway's address")
	require.True(t, w.net.Closed("127.0.0.1:8443"), "published on one address only")
	for who, address := range map[*networktest.Namespace]string{w.outside: "10.9.0.1:5353", w.net: "127.0.0.1:5353"} {
		_, err := who.ReachUDP(address)
		require.NoError(t, err, "udp %s", address)
	}
	require.Equal(t, "172.17.0.1", from(t, g.Namespace, "10.9.0.1:8080"), "from the container itself, by the host")
	other := w.start(t)
	require.Equal(t, "172.17.0.1", from(t, other.Namespace, "10.9.0.1:8080"), "from a neighbour, by the host")

	w.ok("stop", "-t", "0", g.id)
	require.True(t, w.outside.Closed("10.9.0.1:8080"), "a stopped container's port is closed")
	require.Empty(t, w.settings(g.id).IPAddress)
	w.ok("rm", g.id)
	again := w.start(t, "-p", "8080:81")
	again.Serve(":81")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8080"), "and free for the next one")
}

// testLoopbackOnly: what is published on 127.0.0.1 is for the host alone, whatever a neighbour on the wire does.
func testLoopbackOnly(t *testing.T, w *world) {
	g := w.start(t, "-p", "127.0.0.1:8080:80", "-p", "8081:81")
	g.Serve(":80")
	g.Serve(":81")
	require.Equal(t, "172.17.0.1", from(t, w.net, "127.0.0.1:8080"))
	require.True(t, w.net.Closed("10.9.0.1:8080"))
	require.True(t, w.outside.Closed("10.9.0.1:8080"))

	liar := networktest.New(t)
	networktest.Connect(w.net, "10.8.0.1/24", liar, "10.8.0.2/24", "wire")
	liar.TakeLoopbackAway("10.8.0.1")
	liar.Serve("10.8.0.2:99")
	require.Equal(t, "10.8.0.1", from(t, w.net, "10.8.0.2:99"), "the wire works")
	require.True(t, liar.Closed("127.0.0.1:8080"), "a packet to 127.0.0.1 from the wire")
	require.True(t, liar.Closed("127.0.0.1:8081"))
	require.Equal(t, "10.8.0.2", from(t, liar, "10.8.0.1:8081"))

	// The bridge lets the host's loopback out; nobody gets in by that door, not even with all rights over the container's network.
	w.net.Serve("127.0.0.1:700")
	require.Equal(t, "127.0.0.1", from(t, w.net, "127.0.0.1:700"))
	g.TakeLoopbackAway("172.17.0.1")
	require.True(t, g.Closed("127.0.0.1:700"), "the host's own services are not the container's")
	w.net.Serve("172.17.0.1:702")
	require.Equal(t, g.ip, from(t, g.Namespace, "172.17.0.1:702"))
}

// testStrangers: whoever routes packets for the container's own address to the host gets nowhere.
func testStrangers(t *testing.T, w *world) {
	g := w.start(t, "-p", "8080:80")
	g.Serve(":80")
	g.Serve(":81")
	w.outside.Route("172.17.0.0/16", "10.9.0.1")
	require.True(t, w.outside.Closed(g.ip+":81"), "a port that is not published")
	require.True(t, w.outside.Closed(g.ip+":80"), "nor past the publishing")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8080"))
}

func testNeighbours(t *testing.T, w *world) {
	a, b := w.start(t), w.start(t)
	a.Serve(":80")
	require.Equal(t, b.ip, from(t, b.Namespace, a.ip+":80"))
	require.NotEqual(t, a.ip, b.ip)
}

// testTwoInstances: another instance on the same host chooses another subnet, and its containers are strangers.
func testTwoInstances(t *testing.T, w *world) {
	a := w.start(t)
	a.Serve(":80")
	other := &world{engine: upIn(t, bin, w.net), outside: w.outside}
	b := other.guest(t, strings.TrimSpace(other.ok("run", "-d", "-p", "8080:80", "busybox", "sleep", "100000")))
	b.Serve(":80")
	b.Serve(":81")
	require.Equal(t, "172.18.0.2", b.ip)
	require.True(t, a.Closed(b.ip+":81"))
	require.True(t, b.Closed(a.ip+":80"))
	require.NotEmpty(t, from(t, a.Namespace, "10.9.0.1:8080"), "a published port is published to all")
	_, text, code := w.run("run", "--rm", "-p", "8080:80", "busybox", "true")
	require.Equal(t, 125, code)
	require.Contains(t, text, "failed to bind host port for 0.0.0.0:8080:172.17.0.3:80/tcp: address already in use")
	other.ok("rm", "-f", b.id)
	other.ok("down")
	require.Equal(t, "1", w.net.Sysctl("ipv4/ip_forward"), "the other instance still needs it")
	require.Len(t, w.net.Tables(), 1)
}

// testNetworkModes: none, host, and another container's.
func testNetworkModes(t *testing.T, w *world) {
	require.NotContains(t, w.ok("run", "--rm", "--network", "none", "busybox", "ip", "link"), "eth0")
	require.Contains(t, w.ok("run", "--rm", "--network", "host", "busybox", "ip", "addr"), "10.9.0.1/24")
	g := w.start(t, "--name", "owner", "--hostname", "house", "-p", "8080:80")
	out := w.ok("run", "--rm", "--network", "container:owner", "busybox", "sh", "-c", "ip addr show eth0; hostname; cat /etc/hosts")
	require.Contains(t, out, g.ip+"/16")
	require.Contains(t, out, "house\n")
	require.Contains(t, out, g.ip+"\thouse")
	lodger := strings.TrimSpace(w.ok("run", "-d", "--network", "container:owner", "busybox", "sleep", "100000"))
	defer w.ok("rm", "-f", lodger)
	inside := networktest.Open(t, filepath.Join(w.inst.NetNamespaces(), lodger))
	inside.Serve(":80")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:8080"))

	w.ok("stop", "-t", "0", "owner")
	for _, wrong := range []struct{ want, args string }{
		{"cannot join network of a non running container: " + g.id, "--network container:owner"},
		{"No such container: nobody", "--network container:nobody"},
		{"invalid container format container:<name|id>", "--network container:"},
		{"conflicting options: port publishing and the container type network mode", "--network container:owner -p 80:80"},
		{"conflicting options: hostname and the network mode", "--network container:owner -h x"},
		{"a user-defined network is not offered by hull yet", "--network mine"},
		{"user specified IP address is supported on user defined networks only", "--ip 172.17.0.9"},
		{"conflicting options: mac-address and the network mode", "--network host --mac-address 02:42:00:00:00:99"},
		{"a second network is not offered yet", "--network bridge --network none"},
	} {
		_, text, code := w.run(append(append([]string{"run", "--rm"}, strings.Fields(wrong.args)...), "busybox", "true")...)
		require.Equal(t, 125, code, wrong.args)
		require.Contains(t, text, wrong.want)
	}
}

// testDockerNetwork is the real client: run -p, ps, port and inspect read as they do with dockerd.
func testDockerNetwork(t *testing.T, w *world) {
	id := strings.TrimSpace(w.docker("run", "-d", "--name", "web", "-p", "8080:80", "-p", "127.0.0.1:8081:80", "--expose", "90/udp", "busybox", "sh", "-c",
		"mkdir /www; echo welcome > /www/index.html; exec httpd -f -p 80 -h /www"))
	defer w.ok("rm", "-f", id)
	require.Equal(t, "80/tcp -> 0.0.0.0:8080\n80/tcp -> 127.0.0.1:8081\n", w.docker("port", "web"))
	require.Equal(t, w.docker("port", "web"), w.ok("port", "web"))
	require.Equal(t, w.docker("port", "web", "80"), w.ok("port", "web", "80/tcp"))
	_, text, code := w.run("port", "web", "81")
	require.Equal(t, 1, code)
	require.Contains(t, text, "no public port '81/tcp' published for web")
	require.Equal(t, "0.0.0.0:8080->80/tcp, 127.0.0.1:8081->80/tcp, 90/udp\n", sortedPorts(w.docker("ps", "--format", "{{.Ports}}")))
	require.Contains(t, w.ok("ps"), strings.TrimSpace(w.docker("ps", "--format", "{{.Ports}}")))
	require.Equal(t, "172.17.0.2 172.17.0.2 8080 bridge\n", w.docker("inspect", "-f",
		`{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Networks.bridge.IPAddress}} {{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}} {{.HostConfig.NetworkMode}}`, "web"))
	answer := ""
	w.until("httpd answers", func() bool { answer = w.wget("10.9.0.1:8080"); return answer != "" })
	require.Contains(t, answer, "welcome")
}

// sortedPorts puts docker's list into one order: ranges come first there.
func sortedPorts(line string) string {
	list := strings.Split(strings.TrimSpace(line), ", ")
	slices.Sort(list)
	return strings.Join(list, ", ") + "\n"
}

// wget is what an HTTP server says to somebody outside, or "".
func (w *world) wget(address string) string {
	c, err := w.outside.Dial("tcp4", address)
	if err != nil {
		return ""
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.0\r\n\r\n")
	buf := make([]byte, 4096)
	n, got := 0, 1
	for got > 0 {
		got, _ = c.Read(buf[n:])
		n += got
	}
	return string(buf[:n])
}
