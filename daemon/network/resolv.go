package network

import (
	"net/netip"
	"os"
	"strings"
)

// stub is the address of systemd-resolved's own listener; where the real name servers are, it writes in the second file.
const (
	stub     = "127.0.0.53"
	resolved = "/run/systemd/resolve/resolv.conf"
)

// ResolvConf is a bridged container's /etc/resolv.conf (resolv.conf(5)) before the user's wishes, by docker's rules: the host's, without name
// servers on the host's loopback, which the container cannot reach, and without IPv6 ones. Without any left, they are Google's two.
func ResolvConf() string {
	text, _ := os.ReadFile("/etc/resolv.conf")
	return resolvConf(string(text), func() string { text, _ := os.ReadFile(resolved); return string(text) })
}

func resolvConf(host string, behindStub func() string) string {
	if servers := values(host, "nameserver"); len(servers) == 1 && servers[0] == stub {
		if text := behindStub(); text != "" {
			host = text
		}
	}
	var b strings.Builder
	for _, s := range values(host, "nameserver") {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() && !a.IsLoopback() {
			b.WriteString("nameserver " + s + "\n")
		}
	}
	if b.Len() == 0 {
		b.WriteString("nameserver 8.8.8.8\nnameserver 8.8.4.4\n")
	}
	for _, keyword := range []string{"search", "options"} {
		if words := values(host, keyword); len(words) > 0 {
			b.WriteString(keyword + " " + strings.Join(words, " ") + "\n")
		}
	}
	return b.String()
}

// values are the words behind a keyword. Of several search lines the last one counts; name servers and options add up.
func values(text, keyword string) (all []string) {
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != keyword {
			continue
		}
		if keyword == "search" {
			all = nil
		}
		all = append(all, f[1:]...)
	}
	return all
}

// Hosts is a container's /etc/hosts (hosts(5)): the loopback's names, and its own name at its own address, if it has one.
// extra are the user's own lines, NAME:ADDRESS.
func Hosts(hostname, domain string, at netip.Addr, extra []string) string {
	text := "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
	for _, line := range extra {
		name, address, _ := strings.Cut(line, ":")
		text += address + "\t" + name + "\n"
	}
	if !at.IsValid() || hostname == "" {
		return text
	}
	names := hostname
	if domain != "" {
		names = hostname + "." + domain + " " + hostname
	}
	return text + at.String() + "\t" + names + "\n"
}
