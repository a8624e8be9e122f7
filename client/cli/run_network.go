package cli

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/docker/go-connections/nat"
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// networkOptions are run's flags about the container's network.
type networkOptions struct {
	mode       network
	publish    []string
	publishAll bool
	expose     []string
	ip         net.IP
	mac        string
}

func (o *networkOptions) define(f *pflag.FlagSet) {
	f.Var(&o.mode, "network", "Connect a container to a network: bridge (the default), none, host or container:NAME")
	f.Var(&o.mode, "net", "")
	f.Lookup("net").Hidden = true
	f.VarP(listValue{list: &o.publish}, "publish", "p", "Publish a container's port(s) to the host")
	f.BoolVarP(&o.publishAll, "publish-all", "P", false, "Publish all exposed ports to random ports")
	f.Var(listValue{list: &o.expose}, "expose", "Expose a port or a range of ports")
	f.IPVar(&o.ip, "ip", nil, "IPv4 address (e.g., 172.30.100.104): on user-defined networks only")
	f.StringVar(&o.mac, "mac-address", "", "Container MAC address (e.g., 92:d0:c6:0a:29:33)")
}

func (o *networkOptions) apply(body *engine.CreateRequest) error {
	h := &body.HostConfig
	h.NetworkMode, h.PublishAllPorts = string(o.mode), o.publishAll
	if o.mode == "" {
		h.NetworkMode = "bridge"
	}
	specs := make([]string, len(o.publish))
	for i, p := range o.publish {
		spec, err := shortPublish(p)
		if err != nil {
			return &exit{125, err}
		}
		specs[i] = spec
	}
	exposed, bindings, err := nat.ParsePortSpecs(specs)
	if err != nil {
		return &exit{125, err}
	}
	if body.ExposedPorts, err = o.exposed(exposed); err != nil {
		return &exit{125, err}
	}
	for port, list := range bindings {
		if h.PortBindings == nil {
			h.PortBindings = map[string][]engine.PortBinding{}
		}
		for _, b := range list {
			h.PortBindings[string(port)] = append(h.PortBindings[string(port)], engine.PortBinding(b))
		}
	}
	return o.endpoint(body)
}

// endpoint is what is asked of the container's place in the network.
func (o *networkOptions) endpoint(body *engine.CreateRequest) error {
	if o.ip == nil && o.mac == "" {
		return nil
	}
	var e engine.Endpoint
	if o.ip != nil {
		e.IPAMConfig = &engine.IPAMConfig{IPv4Address: o.ip.String()}
	}
	if o.mac != "" {
		if _, err := net.ParseMAC(strings.TrimSpace(o.mac)); err != nil {
			return &exit{125, fmt.Errorf("%s is not a valid mac address", o.mac)}
		}
		e.MacAddress = o.mac
		body.MacAddress = o.mac // where daemons before API 1.44 look for it
	}
	body.NetworkingConfig = &engine.NetworkingConfig{EndpointsConfig: map[string]engine.Endpoint{body.HostConfig.NetworkMode: e}}
	return nil
}

// exposed adds --expose to the ports that are published, which are exposed by that.
func (o *networkOptions) exposed(published map[nat.Port]struct{}) (map[string]struct{}, error) {
	all := map[string]struct{}{}
	for port := range published {
		all[string(port)] = struct{}{}
	}
	for _, e := range o.expose {
		if strings.Contains(e, ":") {
			return nil, fmt.Errorf("invalid port format for --expose: %s", e)
		}
		proto, port := nat.SplitProtoPort(e)
		first, last, err := nat.ParsePortRange(port)
		if err != nil {
			return nil, fmt.Errorf("invalid range format for --expose: %s, error: %w", e, err)
		}
		for n := first; n <= last; n++ {
			p, err := nat.NewPort(proto, fmt.Sprint(n))
			if err != nil {
				return nil, err
			}
			all[string(p)] = struct{}{}
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// shortPublish turns -p's long form, published=8080,target=80,protocol=tcp, into the short one.
func shortPublish(s string) (string, error) {
	if !strings.Contains(s, "=") {
		return s, nil
	}
	value := map[string]string{"protocol": "tcp"}
	for _, field := range strings.Split(s, ",") {
		k, v, ok := strings.Cut(field, "=")
		if !ok || k == "" {
			return "", fmt.Errorf("invalid publish opts format (should be name=value but got '%s')", field)
		}
		value[k] = v
	}
	return fmt.Sprintf("%v:%v/%v", value["published"], value["target"], value["protocol"]), nil
}

// A network is the value of --network. Which networks there are, the daemon knows.
type network string

func (n *network) Set(s string) error {
	switch {
	case strings.Contains(s, "="):
		return errors.New("options of a network are not offered yet (give its name)")
	case *n != "":
		return errors.New("a second network is not offered yet")
	}
	*n = network(s)
	return nil
}
func (n *network) Type() string   { return "network" }
func (n *network) String() string { return string(*n) }
