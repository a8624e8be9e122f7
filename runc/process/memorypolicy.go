package process

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A memoryPolicy is what set_mempolicy(2) takes: from which NUMA nodes the process's memory comes.
type memoryPolicy struct {
	mode  int // with its flags
	nodes []uint64
}

var memoryModes = [...]named{
	{string(specs.MpolDefault), unix.MPOL_DEFAULT},
	{string(specs.MpolPreferred), unix.MPOL_PREFERRED},
	{string(specs.MpolBind), unix.MPOL_BIND},
	{string(specs.MpolInterleave), unix.MPOL_INTERLEAVE},
	{string(specs.MpolLocal), unix.MPOL_LOCAL},
	{string(specs.MpolPreferredMany), unix.MPOL_PREFERRED_MANY},
	{string(specs.MpolWeightedInterleave), unix.MPOL_WEIGHTED_INTERLEAVE},
}

var memoryFlags = [...]named{
	{string(specs.MpolFNumaBalancing), unix.MPOL_F_NUMA_BALANCING},
	{string(specs.MpolFRelativeNodes), unix.MPOL_F_RELATIVE_NODES},
	{string(specs.MpolFStaticNodes), unix.MPOL_F_STATIC_NODES},
}

// KnownMemoryPolicies are the modes and flags that linux.memoryPolicy may have.
func KnownMemoryPolicies() (modes, flags []string) {
	for _, m := range memoryModes {
		modes = append(modes, m.name)
	}
	for _, f := range memoryFlags {
		flags = append(flags, f.name)
	}
	return modes, flags
}

func memoryPolicyOf(m *specs.LinuxMemoryPolicy) (*memoryPolicy, error) {
	if m == nil {
		return nil, nil
	}
	mode, ok := find(memoryModes[:], string(m.Mode))
	if !ok {
		return nil, fmt.Errorf("there is no mode %q", m.Mode)
	}
	nodes, err := bits(m.Nodes)
	if err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	switch mode {
	case unix.MPOL_DEFAULT, unix.MPOL_LOCAL:
		if nodes != nil {
			return nil, fmt.Errorf("%s takes no nodes", m.Mode)
		}
	case unix.MPOL_PREFERRED: // none is the local one
	default:
		if nodes == nil {
			return nil, fmt.Errorf("%s wants nodes", m.Mode)
		}
	}
	for _, f := range m.Flags {
		flag, ok := find(memoryFlags[:], string(f))
		if !ok {
			return nil, fmt.Errorf("there is no flag %q", f)
		}
		mode |= flag
	}
	// get_mempolicy(2) that asks for nothing: is there such a thing in this kernel?
	if _, _, errno := unix.RawSyscall6(unix.SYS_GET_MEMPOLICY, 0, 0, 0, 0, 0, 0); errno != 0 {
		return nil, fmt.Errorf("get_mempolicy: %w", errno)
	}
	return &memoryPolicy{mode, nodes}, nil
}
