package seccomp

import (
	"errors"
	"fmt"
	"runtime"

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
// A profile that cannot be meant (an unknown action, an argument 6) is an error of kind Invalid; one that asks for what is not offered
// (SCMP_ACT_NOTIFY) of kind Unsupported.
func Compile(p *specs.LinuxSeccomp) (Filter, error) {
	return compile(p, runtime.GOARCH)
}

func compile(p *specs.LinuxSeccomp, goarch string) (Filter, error) {
	arches, err := archesOf(p, goarch)
	if err != nil {
		return Filter{}, err
	}
	flags, err := flagsOf(p)
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

// flagsOf translates the profile's flags. No flags at all means SPEC_ALLOW (Linux 4.17), as in runc: without it kernels before 5.16 turn
// off speculative stores for the whole process, which costs more than the filter. An empty list means none.
func flagsOf(p *specs.LinuxSeccomp) (flags uint, err error) {
	if p.Flags == nil {
		return unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, nil
	}
	for _, f := range p.Flags {
		switch f {
		case "SECCOMP_FILTER_FLAG_TSYNC":
			flags |= unix.SECCOMP_FILTER_FLAG_TSYNC
		case specs.LinuxSeccompFlagLog:
			flags |= unix.SECCOMP_FILTER_FLAG_LOG
		case specs.LinuxSeccompFlagSpecAllow:
			flags |= unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
		case specs.LinuxSeccompFlagWaitKillableRecv:
			return 0, refuse(stages.Unsupported, string(f), errors.New("it belongs to SCMP_ACT_NOTIFY, which is not offered"))
		default:
			return 0, refuse(stages.Invalid, string(f), errors.New("not a seccomp flag"))
		}
	}
	return flags, nil
}

func refuse(kind stages.Kind, thing string, err error) error {
	return &stages.Error{Step: stages.RuncInitSeccomp, Kind: kind, Thing: thing, Err: err}
}
