package seccomp

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// arguments is how many a system call has.
const arguments = 6

// Where things stand in struct seccomp_data (include/uapi/linux/seccomp.h): { int nr; __u32 arch; __u64 instruction_pointer; __u64
// args[6]; }, in the host's byte order. Both our architectures are little-endian: an argument's low half comes first.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

func offsetLow(arg uint) uint32  { return offsetArgs + 8*uint32(arg) }
func offsetHigh(arg uint) uint32 { return offsetLow(arg) + 4 }

// A condition compares one argument, masked, with a value. Every comparison of the specification is one of these three, or its opposite.
type condition struct {
	arg   uint
	mask  uint64
	op    comparison
	value uint64
	not   bool
	short bool // only the low half counts
}

type comparison uint8

const (
	equal comparison = iota
	greater
	greaterEqual
)

// conditionOf translates one argument of a rule.
func conditionOf(arg specs.LinuxSeccompArg, short bool) (condition, error) {
	c := condition{arg: arg.Index, mask: ^uint64(0), value: arg.Value, short: short}
	switch arg.Op {
	case specs.OpEqualTo:
	case specs.OpNotEqual:
		c.not = true
	case specs.OpGreaterThan:
		c.op = greater
	case specs.OpGreaterEqual:
		c.op = greaterEqual
	case specs.OpLessThan:
		c.op, c.not = greaterEqual, true
	case specs.OpLessEqual:
		c.op, c.not = greater, true
	case specs.OpMaskedEqual:
		c.mask, c.value = arg.Value, arg.ValueTwo
	default:
		return c, fmt.Errorf("%q is no comparison", arg.Op)
	}
	return c, nil
}

// condition assembles one comparison that goes to yes or to no.
//
// A 64-bit comparison in halves: if the high halves differ they decide, otherwise the low ones do.
func (a *assembler) condition(c condition, yes, no label) label {
	if c.not {
		yes, no = no, yes
	}
	low := a.half(offsetLow(c.arg), uint32(c.mask), c.op, uint32(c.value), yes, no)
	if c.short {
		return low
	}
	mask, value := uint32(c.mask>>32), uint32(c.value>>32)
	switch {
	case c.op == equal && mask == 0 && value == 0:
		return low // nothing of the high half is asked
	case c.op == equal:
		return a.half(offsetHigh(c.arg), mask, equal, value, low, no)
	}
	same := a.branch(opEqual, value, low, no)
	return a.load(offsetHigh(c.arg), a.branch(opGreater, value, yes, same))
}

// half assembles the comparison of one 32-bit half.
func (a *assembler) half(offset, mask uint32, op comparison, value uint32, yes, no label) label {
	code := map[comparison]uint16{equal: opEqual, greater: opGreater, greaterEqual: opGreaterEqual}[op]
	at := a.branch(code, value, yes, no)
	if mask != ^uint32(0) {
		at = a.and(mask, at)
	}
	return a.load(offset, at)
}
