package engine

// A PortBinding is where a container's port is reachable on the host: definition PortBinding. HostPort may be a range, or "" for any port.
type PortBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// NetworkingConfig is what a request asks of the container's places in networks, by the network's name.
type NetworkingConfig struct{ EndpointsConfig map[string]Endpoint }

// An Endpoint is one such place: definition EndpointSettings.
type Endpoint struct {
	IPAMConfig *IPAMConfig `json:",omitempty"`
	MacAddress string      `json:",omitempty"`
}

// IPAMConfig is a wish for an address.
type IPAMConfig struct{ IPv4Address string }
