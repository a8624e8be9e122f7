package seccomp

import (
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The words of the specification (config-linux.md, "Seccomp"). Which of them are offered, the compiler itself says: see offered.
var (
	actions = []specs.LinuxSeccompAction{
		specs.ActAllow, specs.ActErrno, specs.ActKill, specs.ActKillProcess, specs.ActKillThread, specs.ActLog, specs.ActNotify, specs.ActTrace, specs.ActTrap,
	}
	operators = []specs.LinuxSeccompOperator{
		specs.OpEqualTo, specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpLessEqual, specs.OpLessThan, specs.OpMaskedEqual, specs.OpNotEqual,
	}
	flags = []specs.LinuxSeccompFlag{
		specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow, "SECCOMP_FILTER_FLAG_TSYNC", specs.LinuxSeccompFlagWaitKillableRecv,
	}
)

// KnownActions are the actions that a rule may have.
func KnownActions() []string {
	return offered(actions, func(p *specs.LinuxSeccomp, a specs.LinuxSeccompAction) {
		if a != specs.ActNotify {
			p.ListenerPath = ""
		}
		p.Syscalls[0].Action = a
	})
}

// KnownOperators are the comparisons that a rule's argument may have.
func KnownOperators() []string {
	return offered(operators, func(p *specs.LinuxSeccomp, o specs.LinuxSeccompOperator) {
		p.ListenerPath, p.Syscalls[0].Action = "", specs.ActErrno
		p.Syscalls[0].Args = []specs.LinuxSeccompArg{{Op: o}}
	})
}

// KnownFlags are the flags that a profile may have.
func KnownFlags() (list []string) {
	alone := offered(flags, func(p *specs.LinuxSeccomp, f specs.LinuxSeccompFlag) {
		p.Flags, p.ListenerPath, p.Syscalls[0].Action = []specs.LinuxSeccompFlag{f}, "", specs.ActErrno
	})
	notifying := offered(flags, func(p *specs.LinuxSeccomp, f specs.LinuxSeccompFlag) { p.Flags = []specs.LinuxSeccompFlag{f} })
	list = append(alone, notifying...)
	slices.Sort(list)
	return slices.Compact(list)
}

// KnownArches are the architectures that a profile may list.
func KnownArches() (list []string) {
	for _, a := range known {
		list = append(list, string(a))
	}
	slices.Sort(list)
	return list
}

// offered asks the compiler which of the words it takes: each is put into a profile with one rule, which notifies.
func offered[T ~string](words []T, put func(*specs.LinuxSeccomp, T)) (list []string) {
	for _, w := range words {
		p := &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow, ListenerPath: "/agent",
			Syscalls: []specs.LinuxSyscall{{Names: []string{"getppid"}, Action: specs.ActNotify}},
		}
		put(p, w)
		if _, err := Compile(p); err == nil {
			list = append(list, string(w))
		}
	}
	return list
}
