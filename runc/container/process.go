package container

import (
	"hull/runc/confine"
	"hull/runc/process"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// read translates what the specification says of the process itself, for create and exec alike, and refuses what cannot be had, before
// anything is made.
func (t *initTable) read() (err error) {
	p := t.spec.Process
	var caps, limits []string
	if t.capabilities, caps, err = confine.ParseCapabilities(p.Capabilities, t.inUsers()); err != nil {
		return err
	}
	if t.rlimitList, limits, err = confine.ParseRlimits(p.Rlimits); err != nil {
		return err
	}
	if t.attributes, err = process.ParseAttributes(p, t.spec.Linux); err != nil {
		return err
	}
	if t.labels, err = confine.ParseLabels(p); err != nil {
		return err
	}
	for _, w := range append(caps, limits...) {
		t.warn(w)
	}
	return nil
}

// Inherited is what a process that joins gets from the container where its own document is silent, as with runc.
type Inherited struct {
	Personality     *specs.LinuxPersonality  `json:"personality,omitempty"`
	MemoryPolicy    *specs.LinuxMemoryPolicy `json:"memoryPolicy,omitempty"`
	Scheduler       *specs.Scheduler         `json:"scheduler,omitempty"`
	IOPriority      *specs.LinuxIOPriority   `json:"ioPriority,omitempty"`
	ExecCPUAffinity *specs.CPUAffinity       `json:"execCPUAffinity,omitempty"`
	ApparmorProfile string                   `json:"apparmorProfile,omitempty"`
	SelinuxLabel    string                   `json:"selinuxLabel,omitempty"`
}

// inheritedOf takes it out of the container's specification.
func inheritedOf(s *specs.Spec) Inherited {
	p, l := s.Process, s.Linux
	return Inherited{l.Personality, l.MemoryPolicy, p.Scheduler, p.IOPriority, p.ExecCPUAffinity, p.ApparmorProfile, p.SelinuxLabel}
}

// spec is the specification of a process that joins: its own document, completed.
func (i Inherited) spec(version string, own *specs.Process) *specs.Spec {
	p := *own
	if p.Scheduler == nil {
		p.Scheduler = i.Scheduler
	}
	if p.IOPriority == nil {
		p.IOPriority = i.IOPriority
	}
	if p.ExecCPUAffinity == nil {
		p.ExecCPUAffinity = i.ExecCPUAffinity
	}
	if p.ApparmorProfile == "" {
		p.ApparmorProfile = i.ApparmorProfile
	}
	if p.SelinuxLabel == "" {
		p.SelinuxLabel = i.SelinuxLabel
	}
	return &specs.Spec{
		Version: version, Root: &specs.Root{Path: "/"}, Process: &p,
		Linux: &specs.Linux{Personality: i.Personality, MemoryPolicy: i.MemoryPolicy},
	}
}
