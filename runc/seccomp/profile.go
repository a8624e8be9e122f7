package seccomp

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"hull/stages"
)

// A rule is an action and the conditions under which it is taken: all of them.
type rule struct {
	action action
	when   []condition
}

// A verdict is what happens to one system call: the first rule whose conditions hold, otherwise the action.
type verdict struct {
	rules     []rule // each with at least one condition
	otherwise action
}

func (v *verdict) equal(o *verdict) bool {
	return v == o || len(v.rules) == 0 && len(o.rules) == 0 && v.otherwise == o.otherwise
}

// A profile is an OCI profile as one architecture sees it.
type profile struct {
	verdicts map[uint32]*verdict
	standard *verdict // of all other numbers
	from, to uint32   // numbers in [from, to) are of a table the profile does not name
}

// profileOf sorts the profile's rules by system call number.
func profileOf(p *specs.LinuxSeccomp, arch architecture) (*profile, error) {
	standard, err := actionOf(p.DefaultAction, p.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	out := &profile{verdicts: map[uint32]*verdict{}, standard: &verdict{otherwise: standard}, from: arch.from, to: arch.to}
	decided := map[uint32]bool{} // by an unconditional rule
	for _, s := range p.Syscalls {
		act, err := actionOf(s.Action, s.ErrnoRet)
		if err != nil {
			return nil, err
		}
		if len(s.Names) == 0 {
			return nil, refuse(stages.Invalid, string(s.Action), errors.New("a rule without names"))
		}
		for _, table := range arch.tables {
			alternatives, err := conditionsOf(s.Args, table.short)
			if err != nil {
				return nil, refuse(stages.Invalid, s.Names[0], err)
			}
			if act == standard {
				continue
			}
			for _, name := range s.Names {
				nr, ok := number(name, table.column)
				nr |= table.bit
				if !ok || decided[nr] {
					continue
				}
				v := out.verdicts[nr]
				if v == nil {
					v = &verdict{otherwise: standard}
					out.verdicts[nr] = v
				}
				if len(alternatives) == 0 {
					v.rules, v.otherwise, decided[nr] = nil, act, true
				}
				for _, when := range alternatives {
					v.rules = append(v.rules, rule{act, when})
				}
			}
		}
	}
	return out, nil
}

// conditionsOf translates a rule's arguments: no alternative means always, otherwise one of them must hold, with all its conditions.
func conditionsOf(args []specs.LinuxSeccompArg, short bool) (alternatives [][]condition, err error) {
	var all []condition
	var seen [arguments]bool
	twice := false
	for _, arg := range args {
		if arg.Index >= arguments {
			return nil, fmt.Errorf("argument %d: a system call has %d", arg.Index, arguments)
		}
		c, err := conditionOf(arg, short)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		twice = twice || seen[arg.Index]
		seen[arg.Index] = true
	}
	switch {
	case len(all) == 0:
		return nil, nil
	case !twice:
		return [][]condition{all}, nil
	}
	// libseccomp cannot compare one argument twice in one rule, so runc makes each condition a rule of its own, and profiles rely on it.
	for _, c := range all {
		alternatives = append(alternatives, []condition{c})
	}
	return alternatives, nil
}

// An interval is a run of system call numbers with one verdict; it ends where the next begins.
type interval struct {
	from    uint32
	verdict *verdict
}

// intervals cuts all numbers, 0 to 2³²-1, into runs. Neighbours with the same plain action are one, which is what keeps the program
// small: 400 allowed calls are a few dozen runs.
func (p *profile) intervals() []interval {
	list := []interval{{0, p.standard}}
	put := func(from uint32, v *verdict) {
		last := &list[len(list)-1]
		switch {
		case last.from == from: // nothing lies between the last call and this one
			last.verdict = v
			if len(list) > 1 && list[len(list)-2].verdict.equal(v) {
				list = list[:len(list)-1]
			}
		case !last.verdict.equal(v):
			list = append(list, interval{from, v})
		}
	}
	calls := slices.SortedFunc(maps.Keys(p.verdicts), cmp.Compare[uint32])
	for _, nr := range calls {
		put(nr, p.verdicts[nr])
		if nr < math.MaxUint32 {
			put(nr+1, p.standard)
		}
	}
	if p.from < p.to {
		put(p.from, &verdict{otherwise: foreign})
		put(p.to, p.standard)
	}
	return list
}
