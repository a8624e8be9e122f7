package server

import (
	"encoding/json"
	"net"
	"strings"

	"hull/daemon/spec"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// oldMAC moves the hardware address of a create request from where clients before API 1.44 put it to where later ones do: the container's
// place in its network.
func oldMAC(text []byte, req *container.CreateRequest) error {
	var old struct{ MacAddress string }
	if json.Unmarshal(text, &old) != nil || old.MacAddress == "" {
		return nil
	}
	mac, err := net.ParseMAC(strings.TrimSpace(old.MacAddress))
	if err != nil || len(mac) != 6 {
		return failure(stages.Invalid, "invalid MAC address: %s", old.MacAddress)
	}
	name := spec.Bridge
	if req.HostConfig != nil {
		spec.NormalizeNetwork(req.HostConfig, req.NetworkingConfig)
		name = string(req.HostConfig.NetworkMode)
	}
	if req.NetworkingConfig == nil {
		req.NetworkingConfig = &network.NetworkingConfig{}
	}
	if req.NetworkingConfig.EndpointsConfig == nil {
		req.NetworkingConfig.EndpointsConfig = map[string]*network.EndpointSettings{}
	}
	at := req.NetworkingConfig.EndpointsConfig
	if at[name] == nil {
		at[name] = &network.EndpointSettings{}
	}
	at[name].MacAddress = network.HardwareAddr(mac)
	return nil
}
