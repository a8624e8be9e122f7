package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// hostsOptions are run's flags about names: the container's own, and how it finds others' (/etc/hosts, /etc/resolv.conf).
type hostsOptions struct {
	hostname, domainname       string
	extraHosts                 []string
	dns, dnsOptions, dnsSearch []string
}

func (o *hostsOptions) define(f *pflag.FlagSet) {
	f.StringVarP(&o.hostname, "hostname", "h", "", "Container host name")
	f.StringVar(&o.domainname, "domainname", "", "Container NIS domain name")
	f.Var(listValue{&o.extraHosts, checkExtraHost}, "add-host", "Add a custom host-to-IP mapping (host:ip)")
	f.Var(listValue{&o.dns, checkAddress}, "dns", "Set custom DNS servers")
	f.Var(listValue{&o.dnsOptions, nil}, "dns-option", "Set DNS options")
	f.Var(listValue{&o.dnsOptions, nil}, "dns-opt", "")
	f.Lookup("dns-opt").Hidden = true
	f.Var(listValue{&o.dnsSearch, checkDomain}, "dns-search", "Set custom DNS search domains")
}

func (o *hostsOptions) apply(body *engine.CreateRequest) error {
	h := &body.HostConfig
	body.Hostname, body.Domainname = o.hostname, o.domainname
	h.ExtraHosts, h.DNS, h.DNSOptions, h.DNSSearch = o.extraHosts, o.dns, o.dnsOptions, o.dnsSearch
	return nil
}

// checkExtraHost reads NAME:ADDRESS or NAME=ADDRESS, the address perhaps in brackets, and gives it the API's form, NAME:ADDRESS.
func checkExtraHost(s string) (string, error) {
	name, address, ok := strings.Cut(s, "=")
	if !ok {
		name, address, ok = strings.Cut(s, ":")
	}
	if !ok || name == "" || strings.Contains(name, ":") {
		return "", fmt.Errorf("bad format for add-host: %q", s)
	}
	if address == "host-gateway" {
		return "", errors.New("host-gateway is not offered yet (give the address)")
	}
	if len(address) > 2 && address[0] == '[' && address[len(address)-1] == ']' {
		address = address[1 : len(address)-1]
	}
	if _, err := netip.ParseAddr(address); err != nil {
		return "", fmt.Errorf("invalid IP address in add-host: %q", address)
	}
	return name + ":" + address, nil
}

func checkAddress(s string) (string, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || a.Zone() != "" {
		return "", fmt.Errorf("IP address is not correctly formatted: %s", s)
	}
	return a.String(), nil
}

// checkDomain accepts a domain name of letters, digits and hyphens; "." is the empty list.
func checkDomain(s string) (string, error) {
	s = strings.Trim(s, " ")
	if s == "." {
		return s, nil
	}
	domain := strings.TrimSuffix(s, ".")
	ok, letters := len(domain) > 0 && len(domain) < 255, false
	for label := range strings.SplitSeq(domain, ".") {
		ok = ok && label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-'
		for _, c := range label {
			letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
			letters = letters || letter
			ok = ok && (letter || c >= '0' && c <= '9' || c == '-')
		}
	}
	if !ok || !letters {
		return "", fmt.Errorf("%s is not a valid domain", s)
	}
	return domain, nil
}
