package process

import (
	"errors"
	"fmt"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Attributes are what a process is given beside its rights and limits: how the kernel schedules it, its disk requests and its memory, and
// what kind of machine it is shown. Forks inherit all of them, and execve(2) keeps them.
type Attributes struct {
	scheduler   *unix.SchedAttr
	ioPriority  int // 0: as it is
	memory      *memoryPolicy
	personality int      // -1: as it is
	initial     []uint64 // the CPUs while exec joins; empty: as they are
	final       []uint64 // and afterwards
}

// A named is a name of the specification's and the kernel's number for it.
type named struct {
	name  string
	value int
}

func find(list []named, name string) (value int, ok bool) {
	for _, n := range list {
		if n.name == name {
			return n.value, true
		}
	}
	return 0, false
}

// ParseAttributes reads the attributes of a process, and of the container that it is in. What no kernel takes is refused by the field's
// name: kind Invalid, or Unsupported where this kernel lacks it.
func ParseAttributes(p *specs.Process, l *specs.Linux) (a Attributes, err error) {
	for _, part := range []struct {
		field string
		parse func() error
	}{
		{"process.scheduler", func() (err error) { a.scheduler, err = schedulerOf(p.Scheduler); return err }},
		{"process.ioPriority", func() (err error) { a.ioPriority, err = ioPriorityOf(p.IOPriority); return err }},
		{"process.execCPUAffinity", func() (err error) { a.initial, a.final, err = affinityOf(p.ExecCPUAffinity); return err }},
		{"linux.memoryPolicy", func() (err error) { a.memory, err = memoryPolicyOf(l.MemoryPolicy); return err }},
		{"linux.personality", func() (err error) { a.personality, err = personalityOf(l.Personality); return err }},
	} {
		if err := part.parse(); err != nil {
			e := &stages.Error{Step: stages.RuncCreate, Kind: stages.Invalid, Thing: part.field, Err: err}
			if errors.Is(err, unix.ENOSYS) {
				e.Kind = stages.Unsupported
			}
			return a, e
		}
	}
	return a, nil
}

// Apply appends the rows of the attributes. They come after the process has joined its cgroups: the cpu controller lets no real-time
// process in that has no budget there (sched(7)), and the cpuset controller says which CPUs and nodes there are. And while all
// capabilities are there: a better place than others takes CAP_SYS_NICE.
func (a Attributes) Apply(p *linux.Program) {
	if a.memory != nil {
		p.At(stages.None, "linux.memoryPolicy")
		p.Do(linux.SetMempolicy(a.memory.mode, a.memory.nodes))
	}
	if a.personality >= 0 {
		p.At(stages.None, "linux.personality")
		p.Do(linux.Personality(a.personality))
	}
	if a.ioPriority != 0 {
		p.At(stages.None, "process.ioPriority")
		p.Do(linux.IoprioSet(a.ioPriority))
	}
	if a.scheduler != nil {
		p.At(stages.None, "process.scheduler")
		p.Do(linux.SchedSetattr(*a.scheduler))
	}
}

// Unshared reports whether a fork would not hand the attributes on: then the process must be given them itself.
func (a Attributes) Unshared() bool {
	return a.scheduler != nil && (a.scheduler.Policy == unix.SCHED_DEADLINE || a.scheduler.Flags&unix.SCHED_FLAG_RESET_ON_FORK != 0)
}

// personalityOf translates the domain (personality(2)). The specification defines no flag, so whatever one asks for cannot be meant.
func personalityOf(p *specs.LinuxPersonality) (int, error) {
	if p == nil {
		return -1, nil
	}
	if len(p.Flags) > 0 {
		return -1, fmt.Errorf("flag %q: the specification has none", p.Flags[0])
	}
	switch p.Domain {
	case specs.PerLinux:
		return 0, nil
	case specs.PerLinux32:
		return 8, nil // PER_LINUX32, include/uapi/linux/personality.h: uname(2) says i686 or armv8l
	}
	return -1, fmt.Errorf("%q is neither LINUX nor LINUX32", p.Domain)
}
