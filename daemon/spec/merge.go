package spec

import (
	"maps"
	"strings"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// Merge fills the user's config with the image's, by docker's rules (moby, daemon/commit.go: merge): an entrypoint given on the command line
// makes the image's command void; variables and labels are laid over the image's by name.
func Merge(c *container.Config, img *dockerspec.DockerOCIImageConfig) error {
	if c.User == "" {
		c.User = img.User
	}
	if c.WorkingDir == "" {
		c.WorkingDir = img.WorkingDir
	}
	if c.StopSignal == "" {
		c.StopSignal = img.StopSignal
	}
	if len(c.Entrypoint) == 0 {
		if len(c.Cmd) == 0 {
			c.Cmd = img.Cmd
		}
		if c.Entrypoint == nil {
			c.Entrypoint = img.Entrypoint
		}
	}
	if len(c.Entrypoint) == 1 && c.Entrypoint[0] == "" { // --entrypoint ""
		c.Entrypoint = nil
	}
	for _, v := range c.Env {
		if name, _, _ := strings.Cut(v, "="); name == "" || strings.ContainsRune(v, 0) {
			return invalid("invalid environment variable: %s", v)
		}
	}
	for text := range img.ExposedPorts {
		port, err := network.ParsePort(text)
		if err != nil {
			return invalid("the image exposes %q: %v", text, err)
		}
		if c.ExposedPorts == nil {
			c.ExposedPorts = network.PortSet{}
		}
		c.ExposedPorts[port] = struct{}{}
	}
	for _, v := range img.Env { // after the user's, as docker has them
		name, _, _ := strings.Cut(v, "=")
		if _, ok := lookup(c.Env, name); !ok {
			c.Env = append(c.Env, v)
		}
	}
	labels := maps.Clone(img.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, c.Labels)
	c.Labels = labels
	for dir := range img.Volumes {
		if c.Volumes == nil {
			c.Volumes = map[string]struct{}{}
		}
		c.Volumes[dir] = struct{}{}
	}
	return nil
}

// Warnings names what the image asks for and nobody does here.
func Warnings(c *container.Config, img *dockerspec.DockerOCIImageConfig) (w []string) {
	if len(c.Volumes) > 0 {
		w = append(w, "volumes without a name live as long as their container: hull has no volumes yet")
	}
	if h := img.Healthcheck; c.Healthcheck == nil && h != nil && len(h.Test) > 0 && h.Test[0] != "NONE" {
		w = append(w, "the image's HEALTHCHECK is not run: hull has no health checks yet")
	}
	return w
}
