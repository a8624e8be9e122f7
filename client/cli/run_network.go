package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"hull/client/engine"
)

// networkOptions are run's flags about the container's network.
type networkOptions struct{ mode network }

func (o *networkOptions) define(f *pflag.FlagSet) {
	f.Var(&o.mode, "network", "Connect a container to a network: none or host (default none, until bridge is offered)")
	f.Var(&o.mode, "net", "")
	f.Lookup("net").Hidden = true
}

func (o *networkOptions) apply(body *engine.CreateRequest) error {
	body.HostConfig.NetworkMode = string(o.mode)
	if o.mode == "" {
		body.HostConfig.NetworkMode = "none"
	}
	return nil
}

// A network is the value of --network.
type network string

func (n *network) Set(s string) error {
	if s != "none" && s != "host" {
		return fmt.Errorf("this network is not offered yet (use none or host)")
	}
	*n = network(s)
	return nil
}
func (n *network) Type() string   { return "network" }
func (n *network) String() string { return string(*n) }
