// Package spec turns an image's config and docker's flags into an OCI runtime spec, with docker's defaults: the same mounts, masked paths,
// capabilities and seccomp profile. After it nobody reads docker flags.
//
// It is called by daemon/engine at create. Everything it cannot honour is refused by name (refuse.go); it never ignores a field.
package spec

import (
	"fmt"
	"path/filepath"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// An Input is everything that decides a spec. Config is already merged with the image's (merge.go).
type Input struct {
	ID           string
	Config       *container.Config
	HostConfig   *container.HostConfig
	CgroupParent string
	Network      string // path of the network namespace to join; "": by HostConfig.NetworkMode
	Files        Files  // the small files that are mounted into the container
	User         User
}

// Files are host paths of /etc/hostname, /etc/hosts and /etc/resolv.conf as the container sees them.
type Files struct{ Hostname, Hosts, ResolvConf string }

// Build makes the spec.
func Build(in Input) (*specs.Spec, error) {
	c, h := in.Config, in.HostConfig
	args := append(append([]string{}, c.Entrypoint...), c.Cmd...)
	if len(args) == 0 || args[0] == "" {
		return nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("no command specified")}
	}
	cwd := c.WorkingDir
	if cwd == "" {
		cwd = "/"
	}
	if !filepath.IsAbs(cwd) {
		return nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("the working directory %q is invalid, it needs to be an absolute path", cwd)}
	}
	s := &specs.Spec{
		Version:  "1.1.0", // the newest that runc 1.1 and crun 1.8 both implement; nothing later is used
		Hostname: c.Hostname,
		Root:     &specs.Root{Path: "rootfs"},
		Process: &specs.Process{
			Terminal:     c.Tty,
			Args:         args,
			Cwd:          filepath.Clean(cwd),
			Env:          environment(c, in.User.Home),
			User:         specs.User{UID: in.User.UID, GID: in.User.GID, AdditionalGids: in.User.Groups},
			Capabilities: capabilities(in.User.UID),
			OOMScoreAdj:  new(int),
		},
		Linux: &specs.Linux{
			CgroupsPath:   in.CgroupParent + "/" + in.ID,
			Namespaces:    namespaces(h.NetworkMode, in.Network),
			MaskedPaths:   maskedPaths(),
			ReadonlyPaths: readonlyPaths(),
			Sysctl:        sysctls(c, h),
		},
	}
	if c.Tty && h.ConsoleSize != [2]uint{} {
		s.Process.ConsoleSize = &specs.Box{Height: h.ConsoleSize[0], Width: h.ConsoleSize[1]}
	}
	var err error
	if s.Mounts, err = mounts(h, in.Files); err != nil {
		return nil, err
	}
	if s.Linux.Resources, err = resources(&h.Resources); err != nil {
		return nil, err
	}
	// The profile depends on the spec: what a capability would allow anyway is allowed to those who have it.
	if s.Linux.Seccomp, err = seccomp.GetDefaultProfile(s); err != nil {
		return nil, fmt.Errorf("seccomp profile: %w", err)
	}
	return s, nil
}

// environment is docker's: its own variables first, and then the image's and the user's, the last of a name wins.
func environment(c *container.Config, home string) []string {
	env := []string{defaultPath, "HOSTNAME=" + c.Hostname}
	if c.Tty {
		env = append(env, "TERM=xterm")
	}
	env = overlay(env, c.Env)
	if _, ok := lookup(env, "HOME"); !ok && home != "" {
		env = append(env, "HOME="+home)
	}
	return env
}

// overlay puts each of over's variables in place of base's of the same name, or at the end; one without "=" removes the name.
func overlay(base, over []string) []string {
	out := append([]string{}, base...)
	for _, v := range over {
		name, _, assigns := strings.Cut(v, "=")
		i, ok := lookup(out, name)
		switch {
		case ok && assigns:
			out[i] = v
		case ok:
			out = append(out[:i], out[i+1:]...)
		case assigns:
			out = append(out, v)
		}
	}
	return out
}

func lookup(env []string, name string) (int, bool) {
	for i, v := range env {
		if n, _, _ := strings.Cut(v, "="); n == name {
			return i, true
		}
	}
	return 0, false
}

// namespaces are new ones, but for the network's: hulld makes it, or another container has it.
func namespaces(net container.NetworkMode, path string) []specs.LinuxNamespace {
	ns := []specs.LinuxNamespace{
		{Type: specs.MountNamespace}, {Type: specs.UTSNamespace}, {Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.CgroupNamespace},
	}
	if !net.IsHost() {
		ns = append(ns, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: path})
	}
	return ns
}

// sysctls are docker's for a network namespace of its own: binding low ports and sending pings need no privilege there.
func sysctls(c *container.Config, h *container.HostConfig) map[string]string {
	m := map[string]string{}
	if !h.NetworkMode.IsHost() && !h.NetworkMode.IsContainer() {
		m["net.ipv4.ip_unprivileged_port_start"] = "0"
		m["net.ipv4.ping_group_range"] = "0 2147483647"
	}
	if c.Domainname != "" {
		m["kernel.domainname"] = c.Domainname
	}
	return m
}
