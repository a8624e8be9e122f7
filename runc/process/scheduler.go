package process

import (
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var policies = [...]named{
	{string(specs.SchedOther), unix.SCHED_NORMAL},
	{string(specs.SchedBatch), unix.SCHED_BATCH},
	{string(specs.SchedIdle), unix.SCHED_IDLE},
	{string(specs.SchedFIFO), unix.SCHED_FIFO},
	{string(specs.SchedRR), unix.SCHED_RR},
	{string(specs.SchedDeadline), unix.SCHED_DEADLINE},
}

var schedulerFlags = [...]named{
	{string(specs.SchedFlagResetOnFork), unix.SCHED_FLAG_RESET_ON_FORK},
	{string(specs.SchedFlagReclaim), unix.SCHED_FLAG_RECLAIM},
	{string(specs.SchedFlagDLOverrun), unix.SCHED_FLAG_DL_OVERRUN},
	{string(specs.SchedFlagKeepPolicy), unix.SCHED_FLAG_KEEP_POLICY},
	{string(specs.SchedFlagKeepParams), unix.SCHED_FLAG_KEEP_PARAMS},
	{string(specs.SchedFlagUtilClampMin), unix.SCHED_FLAG_UTIL_CLAMP_MIN},
	{string(specs.SchedFlagUtilClampMax), unix.SCHED_FLAG_UTIL_CLAMP_MAX},
}

// schedulerOf checks what sched_setattr(2) would refuse, or overlook: a field that belongs to another policy.
func schedulerOf(s *specs.Scheduler) (*unix.SchedAttr, error) {
	if s == nil {
		return nil, nil
	}
	policy, ok := find(policies[:], string(s.Policy))
	if !ok {
		return nil, fmt.Errorf("there is no policy %q", s.Policy) // SCHED_ISO has a number, and never came
	}
	attr := &unix.SchedAttr{
		Policy: uint32(policy), Nice: s.Nice, Priority: uint32(s.Priority), Runtime: s.Runtime, Deadline: s.Deadline, Period: s.Period,
	}
	for _, f := range s.Flags {
		flag, ok := find(schedulerFlags[:], string(f))
		if !ok {
			return nil, fmt.Errorf("there is no flag %q", f)
		}
		attr.Flags |= uint64(flag)
	}
	realTime := policy == unix.SCHED_FIFO || policy == unix.SCHED_RR
	period := s.Period
	if period == 0 {
		period = s.Deadline
	}
	switch {
	case (policy == unix.SCHED_NORMAL || policy == unix.SCHED_BATCH) && (s.Nice < -20 || s.Nice > 19):
		return nil, fmt.Errorf("nice %d is not between -20 and 19", s.Nice)
	case realTime && (s.Priority < 1 || s.Priority > 99):
		return nil, fmt.Errorf("priority %d of %s is not between 1 and 99", s.Priority, s.Policy)
	case !realTime && s.Priority != 0:
		return nil, fmt.Errorf("priority belongs to SCHED_FIFO and SCHED_RR, not to %s", s.Policy)
	case policy != unix.SCHED_DEADLINE && (s.Runtime != 0 || s.Deadline != 0 || s.Period != 0):
		return nil, fmt.Errorf("runtime, deadline and period belong to SCHED_DEADLINE, not to %s", s.Policy)
	case policy == unix.SCHED_DEADLINE && (s.Runtime < 1024 || s.Runtime > s.Deadline || s.Deadline > period || period >= 1<<63):
		return nil, errors.New("SCHED_DEADLINE wants 1024 ns ≤ runtime ≤ deadline ≤ period")
	}
	return attr, nil
}
