// Package spec turns an image's config and docker's flags into an OCI runtime spec, with docker's defaults: the same mounts, masked paths,
// capabilities and seccomp profile. After it nobody reads docker flags.
//
// It is called by daemon/engine at create. Everything it cannot honour is refused by name (refuse.go); it never ignores a field.
package spec

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
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

// Files are paths of the host that are mounted into the container.
type Files struct {
	Hostname, Hosts, ResolvConf string            // below /etc
	Shm                         string            // /dev/shm, where it is not the container's own: the host's, or a shareable one
	Init                        string            // the program of --init
	Volumes                     map[string]string // the volumes' directories, by their place in the container
}

// Build makes the spec. The warnings say what could not be had in full.
func Build(in Input) (s *specs.Spec, warnings []string, err error) {
	c, h := in.Config, in.HostConfig
	args := append(append([]string{}, c.Entrypoint...), c.Cmd...)
	if len(args) == 0 || args[0] == "" {
		return nil, nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("no command specified")}
	}
	if runsInit(h) {
		args = append([]string{initPath, "--"}, args...)
	}
	cwd := c.WorkingDir
	if cwd == "" {
		cwd = "/"
	}
	if !filepath.IsAbs(cwd) {
		return nil, nil, &stages.Error{Kind: stages.Invalid, Err: fmt.Errorf("the working directory '%s' is invalid, it needs to be an absolute path", cwd)}
	}
	s = &specs.Spec{
		Version:  "1.1.0", // the newest that runc 1.1 and crun 1.8 both implement; nothing later is used
		Hostname: c.Hostname,
		Root:     &specs.Root{Path: "rootfs", Readonly: h.ReadonlyRootfs},
		Process: &specs.Process{
			Terminal: c.Tty,
			Args:     args,
			Cwd:      filepath.Clean(cwd),
			Env:      environment(c, in.User.Home),
			User:     specs.User{UID: in.User.UID, GID: in.User.GID, AdditionalGids: in.User.Groups},
		},
		Linux: &specs.Linux{
			CgroupsPath: cgroupsPath(in),
			Namespaces:  namespaces(h, in.Network),
		},
		Annotations: h.Annotations,
	}
	if h.UTSMode.IsHost() {
		s.Hostname = "" // the name is the host's, and not ours to set
	}
	if c.Tty && h.ConsoleSize != [2]uint{} {
		s.Process.ConsoleSize = &specs.Box{Height: h.ConsoleSize[0], Width: h.ConsoleSize[1]}
	}
	if s.Linux.Sysctl, err = sysctls(c, h); err != nil {
		return nil, nil, err
	}
	if s.Mounts, err = mounts(&in); err != nil {
		return nil, nil, err
	}
	if s.Linux.Resources, warnings, err = resources(&h.Resources); err != nil {
		return nil, nil, err
	}
	if s.Linux.Devices, s.Linux.Resources.Devices, err = devices(h); err != nil {
		return nil, nil, err
	}
	more, err := confine(s, in)
	return s, append(warnings, more...), err
}

// confine decides what the process may do: capabilities, limits, paths of /proc and /sys, system calls.
func confine(s *specs.Spec, in Input) (warnings []string, err error) {
	h, p := in.HostConfig, s.Process
	caps, warnings, err := tweak(h.CapAdd, h.CapDrop, h.Privileged)
	if err != nil {
		return nil, err
	}
	p.Capabilities = capabilities(caps, in.User.UID)
	if p.Rlimits, err = rlimits(h.Ulimits); err != nil {
		return nil, err
	}
	if p.OOMScoreAdj, err = oomScore(h.OomScoreAdj); err != nil {
		return nil, err
	}
	if !h.Privileged {
		s.Linux.MaskedPaths, s.Linux.ReadonlyPaths = maskedPaths(), readonlyPaths()
	}
	if h.MaskedPaths != nil {
		s.Linux.MaskedPaths = h.MaskedPaths
	}
	if h.ReadonlyPaths != nil {
		s.Linux.ReadonlyPaths = h.ReadonlyPaths
	}
	opts, err := readSecurity(h.SecurityOpt)
	if err != nil {
		return nil, err
	}
	p.NoNewPrivileges = opts.noNewPrivileges
	s.Linux.Seccomp, err = opts.filter(s, h.Privileged)
	if slices.ContainsFunc(s.Mounts, func(m specs.Mount) bool {
		return slices.Contains(m.Options, "rslave") || slices.Contains(m.Options, "slave")
	}) {
		s.Linux.RootfsPropagation = "rslave" // a mount below a private one hears of nothing
	}
	return warnings, err
}

// cgroupsPath is the container's group below --cgroup-parent, which is always a path from the hierarchies' roots, or the instance's own.
func cgroupsPath(in Input) string {
	parent := in.CgroupParent
	if in.HostConfig.CgroupParent != "" {
		parent = in.HostConfig.CgroupParent
	}
	return path.Join("/", parent, in.ID)
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
