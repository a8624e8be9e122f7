package spec

import (
	"strings"

	"github.com/moby/moby/api/types/container"
)

// Hosts is the content of the container's /etc/hosts: base, and then a line for each --add-host.
func Hosts(base string, extra []string) string {
	var b strings.Builder
	b.WriteString(base)
	for _, e := range extra {
		name, address, _ := strings.Cut(e, ":")
		b.WriteString(address + "\t" + name + "\n")
	}
	return b.String()
}

// ResolvConf is the content of the container's /etc/resolv.conf: base, with each kind of line that the user gave in place of base's
// (resolv.conf(5)). The search list "." is none.
func ResolvConf(base string, h *container.HostConfig) string {
	var server, search, option []string
	for _, line := range strings.Split(base, "\n") {
		switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "nameserver":
			server = append(server, strings.TrimSpace(rest))
		case "search", "domain":
			search = strings.Fields(rest)
		case "options":
			option = strings.Fields(rest)
		}
	}
	if len(h.DNS) == 0 && len(h.DNSSearch) == 0 && len(h.DNSOptions) == 0 {
		return base
	}
	if len(h.DNS) > 0 {
		server = nil
		for _, a := range h.DNS {
			server = append(server, a.String())
		}
	}
	if len(h.DNSSearch) > 0 {
		search = h.DNSSearch
	}
	if len(h.DNSOptions) > 0 {
		option = h.DNSOptions
	}
	var b strings.Builder
	for _, s := range server {
		b.WriteString("nameserver " + s + "\n")
	}
	if text := strings.Join(search, " "); text != "" && text != "." {
		b.WriteString("search " + text + "\n")
	}
	if len(option) > 0 {
		b.WriteString("options " + strings.Join(option, " ") + "\n")
	}
	return b.String()
}
