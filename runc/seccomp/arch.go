package seccomp

import (
	"errors"
	"math"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"hull/stages"
)

// A table is one system call table: what its calls are called and numbered.
type callTable struct {
	name   specs.Arch
	column int
	bit    uint32 // added to each number
	short  bool   // arguments have 32 bits; the upper halves mean nothing
}

// An architecture is what seccomp_data.arch tells apart: an AUDIT_ARCH_* value (include/uapi/linux/audit.h). x86-64's has two tables.
type architecture struct {
	audit  uint32
	tables []callTable
	from   uint32 // numbers from here to below "to" belong to a table that the profile does not name
	to     uint32
}

const x32Bit = 0x4000_0000 // __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h

// archesOf lists the architectures to make trees for, the native one first.
func archesOf(p *specs.LinuxSeccomp, goarch string) ([]architecture, error) {
	for _, name := range p.Architectures {
		if name != native && !slices.Contains(known, name) {
			return nil, refuse(stages.Invalid, string(name), errors.New("not an architecture"))
		}
	}
	asked := func(name specs.Arch) bool { return slices.Contains(p.Architectures, name) }
	switch goarch {
	case "amd64":
		long := architecture{audit: unix.AUDIT_ARCH_X86_64, tables: []callTable{{name: specs.ArchX86_64, column: columnAMD64}}}
		if asked(specs.ArchX32) {
			long.tables = append(long.tables, callTable{name: specs.ArchX32, column: columnX32, bit: x32Bit, short: true})
		} else {
			long.from, long.to = x32Bit, math.MaxUint32 // -1 is no table's number, and gets the default action
		}
		if !asked(specs.ArchX86) {
			return []architecture{long}, nil
		}
		return []architecture{long, {audit: unix.AUDIT_ARCH_I386, tables: []callTable{{name: specs.ArchX86, column: columnX86, short: true}}}}, nil
	case "arm64":
		long := architecture{audit: unix.AUDIT_ARCH_AARCH64, tables: []callTable{{name: specs.ArchAARCH64, column: columnARM64}}}
		if !asked(specs.ArchARM) {
			return []architecture{long}, nil
		}
		return []architecture{long, {audit: unix.AUDIT_ARCH_ARM, tables: []callTable{{name: specs.ArchARM, column: columnARM, short: true}}}}, nil
	}
	return nil, refuse(stages.Unsupported, goarch, errors.New("no system call table for this architecture"))
}

// native is libseccomp's name for the machine's own, which is always among them.
const native specs.Arch = "SCMP_ARCH_NATIVE"

// known are the names that a profile may hold. Those that this machine cannot run are of no effect: no process can issue such a call.
var known = []specs.Arch{
	specs.ArchX86, specs.ArchX86_64, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64, specs.ArchMIPS, specs.ArchMIPS64,
	specs.ArchMIPS64N32, specs.ArchMIPSEL, specs.ArchMIPSEL64, specs.ArchMIPSEL64N32, specs.ArchPPC, specs.ArchPPC64, specs.ArchPPC64LE,
	specs.ArchS390, specs.ArchS390X, specs.ArchPARISC, specs.ArchPARISC64, specs.ArchRISCV64, specs.ArchLOONGARCH64, specs.ArchM68K,
	specs.ArchSH, specs.ArchSHEB,
}
