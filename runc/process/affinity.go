package process

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// affinityOf reads the two lists of CPUs.
func affinityOf(c *specs.CPUAffinity) (initial, final []uint64, err error) {
	if c == nil {
		return nil, nil, nil
	}
	if initial, err = bits(c.Initial); err != nil {
		return nil, nil, fmt.Errorf("initial: %w", err)
	}
	if final, err = bits(c.Final); err != nil {
		return nil, nil, fmt.Errorf("final: %w", err)
	}
	return initial, final, nil
}

// Initially runs f, which makes the process, on the CPUs that it is to have until it is in its cgroups: a child has its parent's
// (sched_setaffinity(2)), so that none of its set-up runs elsewhere, not even where clone3(2) puts it into a cgroup v2 at once. The calling
// thread must be locked.
func (a Attributes) Initially(f func() error) error {
	if len(a.initial) == 0 {
		return f()
	}
	var before, during unix.CPUSet
	copyBits(&during, a.initial)
	err := unix.SchedGetaffinity(0, &before)
	if err == nil {
		err = unix.SchedSetaffinity(0, &during)
	}
	if err != nil {
		return &stages.Error{Step: stages.RuncExec, Kind: stages.Invalid, Thing: "process.execCPUAffinity.initial", Err: fmt.Errorf("sched_setaffinity: %w", err), Hint: "which of these CPUs are there?"}
	}
	defer unix.SchedSetaffinity(0, &before)
	return f()
}

// Finally appends the row after which the process has the CPUs that it keeps. It comes after the cgroups are joined: the cpuset
// controller would take the old ones back.
func (a Attributes) Finally(p *linux.Program) {
	if len(a.final) > 0 {
		p.At(stages.None, "process.execCPUAffinity.final")
		p.Do(linux.SchedSetaffinity(a.final))
	}
}

func copyBits(set *unix.CPUSet, words []uint64) {
	for i := range 64 * len(words) {
		if words[i/64]>>(i%64)&1 == 1 {
			set.Set(i)
		}
	}
}

// highest is the highest number in a list: unix.CPUSet's and the kernel's own (NR_CPUS, MAX_NUMNODES) are below.
const highest = 1023

// bits reads a list of numbers, as "0-3,7", into one bit for each. The empty list is nil.
func bits(list string) (words []uint64, err error) {
	if list == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err := strconv.ParseUint(low, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is not a list of numbers, as 0-3,7", list)
		}
		to, err := strconv.ParseUint(high, 10, 32)
		switch {
		case err != nil || from > to:
			return nil, fmt.Errorf("%q is not a list of numbers, as 0-3,7", list)
		case to > highest:
			return nil, fmt.Errorf("%d is above %d", to, highest)
		}
		for len(words) <= int(to/64) {
			words = append(words, 0)
		}
		for n := from; n <= to; n++ {
			words[n/64] |= 1 << (n % 64)
		}
	}
	if words == nil {
		return nil, errors.New("a list without a number")
	}
	return words, nil
}
