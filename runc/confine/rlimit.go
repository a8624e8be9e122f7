package confine

import (
	"fmt"
	"slices"

	"hull/runc/confine/nofile"
	"hull/runc/linux"
	"hull/stages"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var rlimits = map[string]int{
	"RLIMIT_CPU": unix.RLIMIT_CPU, "RLIMIT_FSIZE": unix.RLIMIT_FSIZE, "RLIMIT_DATA": unix.RLIMIT_DATA, "RLIMIT_STACK": unix.RLIMIT_STACK,
	"RLIMIT_CORE": unix.RLIMIT_CORE, "RLIMIT_RSS": unix.RLIMIT_RSS, "RLIMIT_NPROC": unix.RLIMIT_NPROC, "RLIMIT_NOFILE": unix.RLIMIT_NOFILE,
	"RLIMIT_MEMLOCK": unix.RLIMIT_MEMLOCK, "RLIMIT_AS": unix.RLIMIT_AS, "RLIMIT_LOCKS": unix.RLIMIT_LOCKS,
	"RLIMIT_SIGPENDING": unix.RLIMIT_SIGPENDING, "RLIMIT_MSGQUEUE": unix.RLIMIT_MSGQUEUE, "RLIMIT_NICE": unix.RLIMIT_NICE,
	"RLIMIT_RTPRIO": unix.RLIMIT_RTPRIO, "RLIMIT_RTTIME": unix.RLIMIT_RTTIME,
}

// An Rlimit is one resource limit as prlimit(2) takes it.
type Rlimit struct {
	name     string
	resource int
	limit    unix.Rlimit
}

// ParseRlimits reads the resource limits. Without CAP_SYS_RESOURCE a hard limit can only be lowered; one that asks for more is clamped to
// what there is, and the warning says so.
func ParseRlimits(list []specs.POSIXRlimit) (limits []Rlimit, warnings []string, err error) {
	if len(list) == 0 {
		return nil, nil, nil
	}
	mayRaise, err := permitted(unix.CAP_SYS_RESOURCE)
	if err != nil {
		return nil, nil, err
	}
	for i, l := range list {
		field := fmt.Sprintf("process.rlimits[%d] %s", i, l.Type)
		refuse := func(err error) ([]Rlimit, []string, error) {
			return nil, nil, &stages.Error{Step: stages.RuncInitRlimits, Kind: stages.Invalid, Thing: field, Err: err}
		}
		resource, ok := rlimits[l.Type]
		switch {
		case !ok:
			return refuse(fmt.Errorf("unknown limit"))
		case slices.ContainsFunc(limits, func(r Rlimit) bool { return r.resource == resource }):
			return refuse(fmt.Errorf("given twice"))
		case l.Soft > l.Hard:
			return refuse(fmt.Errorf("soft limit %d is above hard limit %d", l.Soft, l.Hard))
		}
		limit := unix.Rlimit{Cur: l.Soft, Max: l.Hard}
		if !mayRaise {
			var now unix.Rlimit
			if err := unix.Getrlimit(resource, &now); err != nil {
				return refuse(err)
			}
			if limit.Max > now.Max {
				warnings = append(warnings, fmt.Sprintf("%s: %d is clamped to %d: raising it needs CAP_SYS_RESOURCE", field, limit.Max, now.Max))
				limit = unix.Rlimit{Cur: min(limit.Cur, now.Max), Max: now.Max}
			}
		}
		limits = append(limits, Rlimit{l.Type, resource, limit})
	}
	return limits, warnings, nil
}

// Rlimits appends the rows of the resource limits (prlimit(2)).
func Rlimits(p *linux.Program, limits []Rlimit) {
	for _, l := range limits {
		p.At(stages.RuncInitRlimits, l.name)
		p.Do(linux.Prlimit(l.resource, l.limit))
	}
	files := func(r Rlimit) bool { return r.resource == unix.RLIMIT_NOFILE }
	if o := nofile.Original; !slices.ContainsFunc(limits, files) && o.Max != 0 {
		p.At(stages.None, "RLIMIT_NOFILE as it was")
		p.Do(linux.Prlimit(unix.RLIMIT_NOFILE, unix.Rlimit{Cur: o.Cur, Max: o.Max}).Or(unix.EPERM))
	}
}

// A Raise is a hard limit that is above ours.
type Raise struct {
	Resource int
	Limit    unix.Rlimit // our soft limit, and the hard one that is asked for
}

// Raises are the hard limits that [Rlimits] could not set in a user namespace: what raises them is CAP_SYS_RESOURCE outside of all such
// (prlimit(2)). So they are raised before, or from outside; the rest is done inside. Without that capability there are none.
func Raises(list []specs.POSIXRlimit) (raises []Raise, err error) {
	mayRaise, err := permitted(unix.CAP_SYS_RESOURCE)
	if err != nil || !mayRaise {
		return nil, err
	}
	for _, l := range list {
		var now unix.Rlimit
		resource, ok := rlimits[l.Type]
		if !ok || unix.Getrlimit(resource, &now) != nil || l.Hard <= now.Max {
			continue
		}
		raises = append(raises, Raise{resource, unix.Rlimit{Cur: now.Cur, Max: l.Hard}})
	}
	return raises, nil
}

// permitted reports whether the process may use the capability (capget(2)).
func permitted(capability int) (bool, error) {
	var data [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
		return false, fmt.Errorf("capget: %w", err)
	}
	return data[capability/32].Effective>>(capability%32)&1 == 1, nil
}
