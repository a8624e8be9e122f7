package collect

import (
	"fmt"
	"slices"

	"hull/stages"
	"hull/trace/model"
)

// proveByState holds a claim against what was read back. One reading that found it proves it; without one, a reading that came in time and
// found nothing speaks against it; and where none came in time, nothing is known.
func (v *view) proveByState(s *model.Span, step stages.Step) {
	state := step.Proof.State
	if state == stages.StateProcess {
		v.proveProcess(s, step)
		return
	}
	missing, unread := "", ""
	for i := range v.run.looks {
		switch l := &v.run.looks[i]; {
		case l.state != state || l.name != "" && l.name != s.Instance:
		case l.ok:
			s.Proof, s.Because = model.Proved, l.text
			return
		case l.unread:
			unread = l.text
		default:
			missing = l.text
		}
	}
	why, known := v.run.notLooked(state)
	if step.Has(stages.Repeats) && v.looked(state) {
		why, known = fmt.Sprintf("no %s was found of %q", s.Instance, state), true
	}
	switch absent := v.kernelAbsent(); {
	case absent != "":
		s.Proof, s.Because = model.NoProof, absent
	case s.Error != "":
		s.Proof, s.Because = model.NoProof, "the step failed by the program's own account: there is nothing to prove"
	case missing != "":
		s.Proof, s.Because = model.Unproved, missing
	case unread != "":
		s.Proof, s.Because = model.NoProof, unread
	case known:
		s.Proof, s.Because = model.Unproved, why
	default:
		s.Proof, s.Because = model.NoProof, why
	}
}

// looked reports whether a state was looked at at all, whichever one of it was meant.
func (v *view) looked(state stages.State) bool {
	return slices.ContainsFunc(v.run.looks, func(l look) bool { return l.state == state && !l.unread })
}

// notLooked says why nothing led to a look at a state. With against, that by itself speaks against the claim: the kernel would have seen the
// process that the claim is about.
func (r *run) notLooked(state stages.State) (why string, against bool) {
	t := &r.target
	switch state {
	case stages.StateBundle, stages.StateBundleRootfs, stages.StateBundleConfig, stages.StateSnapshot, stages.StateStdio, stages.StateContainerRecord:
		return "hull-trace looks when the runtime's create begins, and none was executed", false
	case stages.StateExitObserved:
		if r.ended == 0 {
			return "hull-trace looks when the run is over", false
		}
	}
	switch {
	case t.creator.PID == 0:
		return "the kernel saw no runtime's create in this run", true
	case r.alive[t.creator]:
		return "hull-trace looks when the runtime leaves, and it is still there", false
	case t.hidden != "":
		return t.hidden, false
	case t.init.PID == 0 && state == stages.StateCgroupLimits && r.madeGroups():
		return "no process of the container came to be, whose cgroups would show it", false
	case t.init.PID == 0:
		return "the kernel saw no first process of a container", true
	case t.exit == nil && (state == stages.StateExitRecord || state == stages.StateExitObserved):
		return fmt.Sprintf("the kernel has not seen pid %d end", t.init.PID), true
	}
	return fmt.Sprintf("the kernel saw nothing that would have led to a look at %q", state), true
}

// madeGroups reports whether the kernel saw the runtime make a cgroup.
func (r *run) madeGroups() bool {
	for i := range r.events {
		if e := &r.events[i]; e.Kind == stages.EventCgroupMkdir && (e.Proc == r.target.creator || r.childOf(e.Proc, r.target.creator)) {
			return true
		}
	}
	return false
}

// proveProcess holds a claim to exist against the process's executable.
func (v *view) proveProcess(s *model.Span, step stages.Step) {
	p := v.tree.procs[s.Proc]
	if p == nil || p.Exe == "" {
		s.Proof, s.Because = model.Unproved, fmt.Sprintf("no process %d with that start time was seen", s.Proc.PID)
		if why := v.kernelAbsent(); why != "" && p == nil {
			s.Proof, s.Because = model.NoProof, why
		} else if p != nil && !lives(s.Proc) {
			s.Proof, s.Because = model.NoProof, fmt.Sprintf("read too late: pid %d had ended before its program could be read", s.Proc.PID)
		}
		return
	}
	s.Proof, s.Because = model.Unproved, fmt.Sprintf("pid %d runs %s", s.Proc.PID, p.Exe)
	if p.Stage == step.Stage.String() {
		s.Proof = model.Proved
	}
}
