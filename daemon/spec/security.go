package spec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// security is what --security-opt asks for.
type security struct {
	noNewPrivileges bool
	profile         string // of seccomp: "" and "builtin" are docker's own, "unconfined" is none, all else is the profile itself
}

// readSecurity reads the options in the form that docker's client sends them in: NAME=VALUE, or NAME:VALUE as it once was.
func readSecurity(opts []string) (s security, err error) {
	for _, opt := range opts {
		name, value, ok := strings.Cut(opt, "=")
		if !ok {
			name, value, ok = strings.Cut(opt, ":")
		}
		switch {
		case opt == "no-new-privileges":
			s.noNewPrivileges = true
		case opt == "disable":
			// what label=disable was once written as
		case !ok:
			return s, invalid("invalid --security-opt 1: %q", opt)
		case name == "no-new-privileges":
			if s.noNewPrivileges, err = strconv.ParseBool(value); err != nil {
				return s, invalid("invalid --security-opt 2: %q", opt)
			}
		case name == "seccomp":
			s.profile = value
		case name == "label" && value == "disable", name == "apparmor" && value == "unconfined":
			// the runtime puts no container under SELinux or AppArmor
		case name == "label":
			return s, unsupported("SecurityOpt "+opt+": SELinux", "use label=disable")
		case name == "apparmor":
			return s, unsupported("SecurityOpt "+opt+": AppArmor", "use apparmor=unconfined")
		case name == "writable-cgroups":
			return s, unsupported("SecurityOpt "+name, "use --privileged")
		default:
			return s, invalid("invalid --security-opt 2: %q", opt)
		}
	}
	return s, nil
}

// filter makes the system call filter. The profile depends on the spec: what a capability would allow anyway is allowed to those who have
// it. A privileged container has a filter only if it asks for one.
func (s security) filter(spec *specs.Spec, privileged bool) (out *specs.LinuxSeccomp, err error) {
	switch {
	case s.profile == "unconfined" || s.profile == "" && privileged:
		return nil, nil
	case s.profile == "" || s.profile == "builtin":
		out, err = seccomp.GetDefaultProfile(spec)
	default:
		if out, err = seccomp.LoadProfile(s.profile, spec); err != nil {
			return nil, invalid("%w", err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("seccomp profile: %w", err)
	}
	return out, nil
}
