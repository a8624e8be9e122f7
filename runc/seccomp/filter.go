package seccomp

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/stages"
)

// A Filter is what seccomp(2) takes for SECCOMP_SET_MODE_FILTER.
type Filter struct {
	Insns []unix.SockFilter // at most 4096; the first is the entry
	Flags uint              // SECCOMP_FILTER_FLAG_*
}

// maxInsns is BPF_MAXINSNS (include/uapi/linux/bpf_common.h): the kernel takes no longer program.
const maxInsns = 4096

// Compile makes the filter of a profile for this machine: one tree for each of its architectures that this kernel can run, and the
// native one in any case. System calls of another architecture end the process.
//
// For one system call the rules say, as they do in docker (whose compiler is libseccomp): a rule whose action is the default one adds
// nothing; an unconditional rule decides; otherwise the first rule in the profile's order whose conditions all hold; otherwise the
// default action. Two conditions of one rule on the same argument are alternatives.
//
// With SCMP_ACT_NOTIFY the kernel asks an agent; the filter's flags then want a listener. The agent hears of a process by a write(2) that
// the process makes under the filter already, so it cannot be asked about that one: neither by name nor by default (runc says the same).
//
// A profile that cannot be meant (an unknown action, an argument 6) is an error of kind Invalid.
func Compile(p *specs.LinuxSeccomp) (Filter, error) {
	return compile(p, runtime.GOARCH)
}

func compile(p *specs.LinuxSeccomp, goarch string) (Filter, error) {
	arches, err := archesOf(p, goarch)
	if err != nil {
		return Filter{}, err
	}
	notify, err := notifies(p)
	if err != nil {
		return Filter{}, err
	}
	flags, err := flagsOf(p, notify)
	if err != nil {
		return Filter{}, err
	}
	// The program is assembled from its end to its beginning, because jumps only go forward: when an instruction is added, what it jumps
	// to is there already. So this is the order in which it is read, backwards.
	var a assembler
	next := a.ret(foreign) // after the last architecture's comparison
	for i := len(arches) - 1; i >= 0; i-- {
		profile, err := profileOf(p, arches[i])
		if err != nil {
			return Filter{}, err
		}
		tree := a.search(profile.intervals())
		tree = a.load(offsetNumber, tree)
		next = a.branch(opEqual, arches[i].audit, tree, next)
	}
	a.load(offsetArch, next)
	insns := a.program()
	if len(insns) > maxInsns {
		return Filter{}, refuse(stages.Unsupported, "profile", fmt.Errorf("it compiles to %d instructions; the kernel takes %d", len(insns), maxInsns))
	}
	return Filter{Insns: insns, Flags: flags}, nil
}

// notifies reports whether the profile asks an agent, and whether it can.
func notifies(p *specs.LinuxSeccomp) (bool, error) {
	if p.DefaultAction == specs.ActNotify {
		return false, refuse(stages.Unsupported, "linux.seccomp.defaultAction", errors.New("SCMP_ACT_NOTIFY cannot be the default: it would catch write"))
	}
	asks := false
	for _, s := range p.Syscalls {
		if s.Action == specs.ActNotify {
			asks = true
			if slices.Contains(s.Names, "write") {
				return false, refuse(stages.Unsupported, "linux.seccomp.syscalls", errors.New("SCMP_ACT_NOTIFY cannot be used for write"))
			}
		}
	}
	switch {
	case p.ListenerPath == "" && asks:
		return false, refuse(stages.Invalid, "linux.seccomp.listenerPath", errors.New("SCMP_ACT_NOTIFY wants it"))
	case p.ListenerPath == "" && p.ListenerMetadata != "":
		return false, refuse(stages.Invalid, "linux.seccomp.listenerMetadata", errors.New("there is no listenerPath"))
	}
	return asks, nil
}

// flagsOf translates the profile's flags. No flags at all means SPEC_ALLOW (Linux 4.17), as in runc: without it kernels before 5.16 turn
// off speculative stores for the whole process, which costs more than the filter. An empty list means none.
func flagsOf(p *specs.LinuxSeccomp, notify bool) (flags uint, err error) {
	if notify {
		flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	if p.Flags == nil {
		return flags | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, nil
	}
	for _, f := range p.Flags {
		switch f {
		case "SECCOMP_FILTER_FLAG_TSYNC":
			// All threads of the process: the one that loads the filter has no other.
		case specs.LinuxSeccompFlagLog:
			flags |= unix.SECCOMP_FILTER_FLAG_LOG
		case specs.LinuxSeccompFlagSpecAllow:
			flags |= unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
		case specs.LinuxSeccompFlagWaitKillableRecv:
			if !notify {
				return 0, refuse(stages.Invalid, string(f), errors.New("it belongs to SCMP_ACT_NOTIFY, which no rule has"))
			}
			flags |= unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV // Linux 5.19
		default:
			return 0, refuse(stages.Invalid, string(f), errors.New("not a seccomp flag"))
		}
	}
	return flags, nil
}

func refuse(kind stages.Kind, thing string, err error) error {
	return &stages.Error{Step: stages.RuncInitSeccomp, Kind: kind, Thing: thing, Err: err}
}
