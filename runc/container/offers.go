package container

import (
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Offers reports whether a configuration may have the field that change sets: the checks of create answer, and no second list.
func Offers(change func(*specs.Spec)) bool {
	s := &specs.Spec{
		Version: specs.Version, Root: &specs.Root{Path: "rootfs"}, Process: &specs.Process{Args: []string{"true"}, Cwd: "/"}, Linux: &specs.Linux{},
	}
	change(s)
	return check(stages.RuncCreate, s) == nil
}
