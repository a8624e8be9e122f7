// Package distribution reaches image registries: the distribution API (registry v2, OCI distribution-spec), by containerd's own client for it.
//
// daemon/image calls it to pull and to push. What is ours is the policy: which hosts may be spoken to in clear text, whose password goes
// where, and the words of an error. Blobs do not pass through here: they go from the registry to containerd's content store as a stream.
package distribution

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// dockerHub is where names without a host are looked for.
const dockerHub = "registry-1.docker.io"

// A Login is the name and password that a client sent along for one request. The daemon keeps none. The zero Login is anonymous.
type Login struct {
	User, Secret string
}

// New is the client of the registries, for one request: a password lives no longer than what it was sent for.
func New(login Login, tracker docker.StatusTracker) remotes.Resolver {
	return docker.NewResolver(docker.ResolverOptions{Hosts: hosts(login), Tracker: tracker})
}

// hosts says how a registry is reached: by TLS, always; only on this machine's own loopback, and only if the other side does not speak TLS,
// in clear text (docker's rule: 127.0.0.0/8 and ::1 are the registries that may be "insecure" without being named so).
func hosts(login Login) docker.RegistryHosts {
	return func(host string) ([]docker.RegistryHost, error) {
		address := host
		if host == "docker.io" {
			address = dockerHub
		}
		var transport http.RoundTripper = newTransport()
		if loopback(host) {
			transport = docker.NewHTTPFallback(transport)
		}
		client := &http.Client{Transport: transport}
		authorizer := docker.NewDockerAuthorizer(docker.WithAuthClient(client), docker.WithAuthCreds(func(asked string) (string, string, error) {
			if asked != address { // a redirect or a token server of another name gets nothing of what was meant for this one
				return "", "", nil
			}
			return login.User, login.Secret, nil
		}))
		return []docker.RegistryHost{{
			Client: client, Authorizer: authorizer, Host: address, Scheme: "https", Path: "/v2",
			Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve | docker.HostCapabilityPush,
		}}, nil
	}
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute, // a registry that accepts and says nothing
		MaxIdleConns:          10,
		IdleConnTimeout:       10 * time.Second, // the client lives for one request
		ForceAttemptHTTP2:     true,
		DisableCompression:    true, // a blob's digest is of its bytes as they are stored
	}
}

// loopback reports whether a registry's host, with or without a port, is this machine itself.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
