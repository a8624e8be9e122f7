package seccomp

import (
	"slices"

	"golang.org/x/sys/unix"
)

// The instructions used (include/uapi/linux/bpf_common.h). There is one register, the accumulator.
const (
	opLoad         = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS // accumulator = the word at offset k
	opAnd          = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	opEqual        = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K // skip jt instructions if accumulator == k, else jf
	opGreater      = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	opGreaterEqual = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	opJump         = unix.BPF_JMP | unix.BPF_JA // skip k instructions
	opReturn       = unix.BPF_RET | unix.BPF_K
)

// An assembler collects a program from its end to its beginning. Classic BPF jumps only forward, so every target is there before the
// jump to it, and its distance is known.
type assembler struct {
	backwards []unix.SockFilter
	returns   map[action]label // the latest return of each action
}

// A label is a place in the program, counted from its end.
type label int

// emit adds an instruction before all others.
func (a *assembler) emit(i unix.SockFilter) label {
	a.backwards = append(a.backwards, i)
	return label(len(a.backwards) - 1)
}

// distance is how many instructions one that is emitted now must skip to go to l.
func (a *assembler) distance(l label) int { return len(a.backwards) - int(l) - 1 }

// program is the collected program, from its beginning.
func (a *assembler) program() []unix.SockFilter {
	p := slices.Clone(a.backwards)
	slices.Reverse(p)
	return p
}

// far is the distance from which on a branch needs help. Branches reach 255; a jump for the other way may come in between.
const far = 255 - 1

// ret is a place that returns an action: the last one, if that is near, because another return costs no more than a jump to it.
func (a *assembler) ret(act action) label {
	if l, ok := a.returns[act]; ok && a.distance(l) < far/2 {
		return l
	}
	if a.returns == nil {
		a.returns = map[action]label{}
	}
	a.returns[act] = a.emit(unix.SockFilter{Code: opReturn, K: uint32(act)})
	return a.returns[act]
}

// branch compares the accumulator with k, and goes to yes or to no. A branch's distances have eight bits; what lies farther away is
// reached over a jump, whose distance has 32.
func (a *assembler) branch(code uint16, k uint32, yes, no label) label {
	if yes == no {
		return yes
	}
	if a.distance(no) > far {
		no = a.jump(no)
	}
	if a.distance(yes) > far {
		yes = a.jump(yes)
	}
	return a.emit(unix.SockFilter{Code: code, K: k, Jt: uint8(a.distance(yes)), Jf: uint8(a.distance(no))})
}

func (a *assembler) jump(to label) label {
	return a.emit(unix.SockFilter{Code: opJump, K: uint32(a.distance(to))})
}

// load puts a word of seccomp_data into the accumulator, and goes on at next.
func (a *assembler) load(offset uint32, next label) label {
	a.reach(next)
	return a.emit(unix.SockFilter{Code: opLoad, K: offset})
}

// and masks the accumulator, and goes on at next.
func (a *assembler) and(mask uint32, next label) label {
	a.reach(next)
	return a.emit(unix.SockFilter{Code: opAnd, K: mask})
}

// reach makes next the instruction that follows.
func (a *assembler) reach(next label) {
	if a.distance(next) != 0 {
		a.jump(next)
	}
}
