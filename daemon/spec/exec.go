package spec

import (
	"path/filepath"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// CheckExec refuses what no exec can be.
func CheckExec(r *container.ExecCreateRequest) error {
	for _, v := range r.Env {
		if name, _, _ := strings.Cut(v, "="); name == "" || strings.ContainsRune(v, 0) {
			return invalid("invalid environment variable: %s", v)
		}
	}
	for _, v := range append([]string{r.User, r.WorkingDir}, r.Cmd...) {
		if strings.ContainsRune(v, 0) {
			return invalid("a NUL character in %q", v)
		}
	}
	if r.WorkingDir != "" && !filepath.IsAbs(r.WorkingDir) {
		return &stages.Error{Kind: stages.NotRunnable, Err: invalid("the working directory %q is invalid, it needs to be an absolute path", r.WorkingDir)}
	}
	return nil
}

// Exec is the process of an exec: that of the container's spec with another program, environment, working directory and terminal. user is
// nil for the container's own. What it may do is what the container may do; privileged gives it every capability, and the filter and the
// devices stay the container's (moby, daemon/exec.go and exec_linux.go).
func Exec(s *specs.Spec, c *container.Config, r *container.ExecCreateRequest, user *User) *specs.Process {
	p := *s.Process
	p.Args, p.Terminal, p.ConsoleSize, p.Cwd = r.Cmd, r.Tty, nil, r.WorkingDir
	if r.Tty && r.ConsoleSize != nil && *r.ConsoleSize != [2]uint{} {
		p.ConsoleSize = &specs.Box{Height: r.ConsoleSize[0], Width: r.ConsoleSize[1]}
	}
	if p.Cwd == "" {
		p.Cwd = c.WorkingDir
	}
	if p.Cwd == "" {
		p.Cwd = "/"
	}
	env := *c
	env.Tty = r.Tty
	p.Env = overlay(environment(&env, ""), r.Env)
	if user != nil {
		p.User = specs.User{UID: user.UID, GID: user.GID, AdditionalGids: user.Groups, Umask: p.User.Umask}
	}
	// A user who is not root holds none, and may gain what the bounding set has.
	bounding := grantable()
	if !r.Privileged {
		bounding = nil
		if p.Capabilities != nil {
			bounding = p.Capabilities.Bounding
		}
	}
	p.Capabilities = capabilities(bounding, p.User.UID)
	return &p
}
