package main_test

import (
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testPortForms: ranges, ports that the kernel chooses, and ports that the image or the user exposes.
func testPortForms(t *testing.T, w *world) {
	g := w.start(t, "-p", "8000-8001:80-81", "-p", "published=8100,target=90,protocol=udp", "-p", "9000-9002:95")
	require.Equal(t, "80/tcp -> 0.0.0.0:8000\n81/tcp -> 0.0.0.0:8001\n90/udp -> 0.0.0.0:8100\n95/tcp -> 0.0.0.0:9000\n", w.ok("port", g.id))
	second := w.start(t, "-p", "9000-9002:95")
	require.Equal(t, "95/tcp -> 0.0.0.0:9001\n", w.ok("port", second.id), "the first port of the range that is free")
	second.Serve(":95")
	require.Equal(t, "10.9.0.2", from(t, w.outside, "10.9.0.1:9001"))

	any := w.start(t, "-P", "--expose", "70", "--expose", "71-72/udp", "-p", "127.0.0.1::73")
	ports := w.settings(any.id).Ports
	require.Len(t, ports, 4)
	for port, at := range ports {
		require.Len(t, at, 1, port)
		require.NotEqual(t, "0", at[0].HostPort)
	}
	require.Equal(t, "127.0.0.1", ports["73/tcp"][0].HostIP)
	any.Serve(":70")
	require.Equal(t, "10.9.0.2", from(t, w.outside, net.JoinHostPort("10.9.0.1", ports["70/tcp"][0].HostPort)))
	require.Equal(t, []string{"9000-9002"}, hostPorts(w, g.id, "95/tcp"), "what was asked for is kept, for the next start")

	for _, wrong := range []struct{ want, flags string }{
		{"invalid containerPort: x", "-p 80:x"},
		{"invalid hostPort: 80801", "-p 80801:80"},
		{"invalid proto: x", "-p 80/x"},
		{"invalid ranges specified for container and host Ports", "-p 8000-8001:90-92"},
		{"invalid IP address: 1.2.3", "-p 1.2.3:80:80"},
		{"no port specified: 80:<empty>", "-p 80:"},
		{"sctp is not offered by hull yet", "-p 80:80/sctp"},
		{"the IPv6 address ::1 is not offered by hull yet", "-p [::1]:80:80"},
		{"invalid port format for --expose: 1:2", "--expose 1:2"},
		{"invalid range format for --expose: x", "--expose x"},
		{"x is not a valid mac address", "--mac-address x"},
		{"invalid publish opts format", "-p published=80,x"},
	} {
		_, text, code := w.run(append(append([]string{"run", "--rm"}, strings.Fields(wrong.flags)...), "busybox", "true")...)
		require.Equal(t, 125, code, wrong.flags)
		require.Contains(t, text, wrong.want)
	}
}

// hostPorts are the host's sides of a port as the user asked for them.
func hostPorts(w *world, id, port string) (list []string) {
	for _, line := range strings.Split(w.docker("inspect", "-f", `{{range index .HostConfig.PortBindings "`+port+`"}}{{println .HostPort}}{{end}}`, id), "\n") {
		if line != "" {
			list = append(list, line)
		}
	}
	return list
}

// testPortConflicts: a port has one owner, whoever that is; a start that fails for it leaves nothing.
func testPortConflicts(t *testing.T, w *world) {
	refused := func(want string, flags ...string) {
		t.Helper()
		_, text, code := w.run(append(append([]string{"run", "--rm", "--name", "late"}, flags...), "busybox", "true")...)
		require.Equal(t, 125, code)
		require.Contains(t, text, "failed to set up container networking: driver failed programming external connectivity on endpoint late (")
		// Which address it would have had is not the point: that of the one before may still be in use.
		require.Contains(t, regexp.MustCompile(`:172\.17\.0\.\d+:`).ReplaceAllString(text, ":ADDRESS:"), want)
	}
	first := w.start(t, "-p", "8080:80", "-p", "8080:80/udp", "-p", "10.9.0.1:8081:80")
	refused("Bind for 0.0.0.0:8080 failed: port is already allocated", "-p", "8080:80")
	refused("Bind for 127.0.0.1:8080 failed: port is already allocated", "-p", "127.0.0.1:8080:80")
	refused("Bind for 0.0.0.0:8080 failed: port is already allocated", "-p", "8080:80/udp")
	refused("Bind for 0.0.0.0:8081 failed: port is already allocated", "-p", "8090:90", "-p", "8081:80")
	w.ok("run", "--rm", "-p", "127.0.0.1:8081:80", "-p", "8090:90", "busybox", "true")
	refused("failed to bind host port for 10.7.7.7:8600:ADDRESS:80/tcp: cannot assign requested address", "-p", "10.7.7.7:8600:80")

	_, err := w.net.Listen("tcp4", "10.9.0.1:8080")
	require.ErrorContains(t, err, "address already in use", "nor can a program have a container's port")
	l, err := w.net.Listen("tcp4", "127.0.0.1:8500")
	require.NoError(t, err)
	refused("failed to bind host port for 0.0.0.0:8500:ADDRESS:80/tcp: address already in use", "-p", "8500:80")
	require.Equal(t, "80/tcp -> 0.0.0.0:8501\n", w.ok("port", w.start(t, "-p", "8500-8501:80").id), "a range goes round it")
	l.Close()
	w.ok("run", "--rm", "-p", "8500:80", "busybox", "true")

	// A container whose start failed stays, as docker's does, and starts when the port is free.
	_, _, code := w.run("run", "-d", "--name", "patient", "-p", "8080:80", "busybox", "sleep", "100000")
	require.Equal(t, 125, code)
	w.ok("rm", "-f", first.id)
	w.docker("start", "patient")
	require.Equal(t, "80/tcp -> 0.0.0.0:8080\n", w.ok("port", "patient"))
	w.ok("rm", "-f", "patient")
}
