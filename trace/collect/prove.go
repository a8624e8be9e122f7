package collect

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"hull/stages"
	"hull/trace/model"
)

// slack is how far a kernel event may lie outside of the claim's window: the two clocks are laid over each other with an error of some
// microseconds, and a program reads its own on the way into the system call and out of it.
const slack = 100_000 // ns

// prove gives every claim its verdict. The kernel's arguments and results decide; of the claim only its process and its window of time are
// used, and of a repeated step which instance it means.
func (v *view) prove() {
	byKind := map[stages.Event][]int{}
	for i, e := range v.events {
		byKind[e.Kind] = append(byKind[e.Kind], i)
	}
	used := map[int]bool{} // one mount proves one claim
	for i := range v.spans {
		s := &v.spans[i]
		step := s.Step()
		switch step.Proof.Kind {
		case stages.ProofNone:
			s.Proof, s.Because = model.NoProof, step.Proof.Reason
			if step.ID == stages.None {
				s.Because = "the catalogue does not know this step"
			}
		case stages.ProofEvent:
			v.proveByEvent(s, step, byKind[step.Proof.Event], used)
		case stages.ProofState:
			v.proveByState(s, step)
		}
	}
}

func (v *view) kernelAbsent() string {
	for _, n := range v.run.notes {
		if strings.HasPrefix(n, "kernel rows absent") {
			return n
		}
	}
	return ""
}

// window is when the evidence must lie. A program's own exec comes before anything it can claim, its exit after.
func window(s *model.Span, p stages.Proof) (from, to int64) {
	from, to = s.Start-slack, s.End+slack
	switch {
	case p.Who == stages.Program, p.Who == stages.Payload, p.Who == stages.Taken:
		from = 0 // whoever claims the payload's exec, or an adoption, has seen its effect
	case p.Event == stages.EventExit:
		to = 1 << 62
	}
	return from, to
}

func (v *view) proveByEvent(s *model.Span, step stages.Step, candidates []int, used map[int]bool) {
	if why := v.kernelAbsent(); why != "" {
		s.Proof, s.Because = model.NoProof, why
		return
	}
	from, to := window(s, step.Proof)
	first := sort.Search(len(candidates), func(i int) bool { return v.events[candidates[i]].wall >= from })
	var near string
	for _, i := range candidates[first:] {
		e := &v.events[i]
		if e.wall > to {
			break
		}
		if !v.inPlace(e, s, step.Proof.Who) || !holds(e, step.Proof.Args) || step.Has(stages.Repeats) && (used[i] || !v.isInstance(e, s.Instance)) {
			continue
		}
		if e.Ret < 0 && s.Error == "" {
			near = fmt.Sprintf("%s of pid %d failed: %s", e.what(), e.Proc.PID, e.Args["errno"])
			continue
		}
		used[i] = true
		s.Proof, s.Evidence, s.Because = model.Proved, []int{i}, e.said()
		return
	}
	if s.Error != "" && near == "" {
		s.Proof, s.Because = model.NoProof, "the step failed by the program's own account: there is nothing to prove"
		return
	}
	if why := v.run.impossible(s, step); why != "" {
		s.Proof, s.Because = model.NoProof, why
		return
	}
	s.Proof, s.Because = model.Unproved, near
	if near == "" {
		s.Because = fmt.Sprintf("the kernel saw no %s%s in pid %d meanwhile", step.Proof.Event, wanted(step.Proof.Args, s.Instance), s.Proc.PID)
	}
}

// impossible says why an event could not come, by what hull-trace itself knows.
func (r *run) impossible(s *model.Span, step stages.Step) string {
	switch {
	case step.ID == stages.ClientExit && s.Proc.PID == r.client && r.alive[s.Proc]:
		return "the client shows the trace before it leaves: what is recorded of its exit comes after this"
	case step.Stage == stages.Runc && s.Instance != "" && r.target.creator.PID != 0 && r.target.spec == nil:
		return "config.json, which names the container's root, could not be read: whether " + s.Instance + " was meant cannot be told"
	case step.ID == stages.RuncInitMaskedPaths && r.masks.unread != "":
		return r.masks.unread
	case step.ID == stages.RuncInitMaskedPaths && r.masks.absent[s.Instance]:
		return "there is no " + s.Instance + " in the container: nothing to mask"
	case r.left != 0 && s.End > r.left && bySyscall(step.Proof.Event):
		return "system calls are no longer recorded: the client had left, and the container only lived on"
	}
	return ""
}

// bySyscall reports whether an event is seen at a system call, and not by one of the programs that stay attached.
func bySyscall(e stages.Event) bool {
	switch e {
	case stages.EventClone, stages.EventExec, stages.EventExit, stages.EventReparent, stages.EventSignal, stages.EventCgroupMkdir, stages.EventCgroupAttach:
		return false
	}
	return true
}

// inPlace reports whether the event lies in a process that the rule allows.
func (v *view) inPlace(e *event, s *model.Span, who stages.Who) bool {
	switch who {
	case stages.Child:
		return e.Proc != s.Proc && v.tree.forkedBy(e.Proc, s.Proc)
	case stages.Init:
		return e.Proc == s.Proc || v.tree.forkedBy(e.Proc, s.Proc)
	case stages.Payload:
		return e.Proc == s.Proc && v.tree.execs[e] == stages.Container.String()
	case stages.Taken:
		return e.Parent == s.Proc
	}
	return e.Proc == s.Proc
}

func holds(e *event, args []stages.Arg) bool {
	return !slices.ContainsFunc(args, func(a stages.Arg) bool {
		v := e.Args[a.Key]
		if a.Key == "exe" && !strings.Contains(v, a.Has) {
			v = e.Name
		}
		return a.Is != "" && v != a.Is || a.Has != "" && !strings.Contains(v, a.Has)
	})
}

// isInstance reports whether the event is about the instance that the claim means: a mount's target, a node's path, a limit's name. What a
// step's event does not name (a signal's number, a uid) is not compared.
func (v *view) isInstance(e *event, instance string) bool {
	if instance == "" {
		return true
	}
	if e.Kind == stages.EventCgroupMkdir || e.Kind == stages.EventCgroupAttach {
		// A group is named by its hierarchy; some runtimes name the directory.
		return e.Args["hierarchy"] == instance || strings.HasSuffix(instance, e.Args["path"])
	}
	named := false
	for _, key := range []string{"target", "path", "resource", "at"} {
		arg := e.Args[key]
		if arg == "" {
			continue
		}
		named = true
		if at := e.Args["at"]; key == "path" && at != "" && !strings.HasPrefix(arg, "/") {
			arg = at + "/" + arg
		}
		if arg = v.inside(arg); arg == instance || key != "at" && arg != "/" && strings.HasSuffix(instance, arg) {
			return true
		}
	}
	return !named
}

// inside is a path as the container will see it: before pivot_root the host's directories stand in front of the bundle's root. A deep path's
// head is missing ("…/", trace/bpf): then the root's own name marks the place.
func (v *view) inside(p string) string {
	root := v.run.target.rootfs
	if root == "" {
		return p
	}
	names, at := strings.Split(root, "/"), strings.Split(p, "/")
	if len(at) > 0 && at[0] == "…" && len(at) < len(names)+8 {
		// The head is missing: the root's own name marks the place.
		if i := slices.Index(at, path.Base(root)); i >= 0 {
			return path.Join("/", path.Join(at[i+1:]...))
		}
		return p
	}
	if len(at) < len(names) {
		return p
	}
	for i, name := range names {
		if at[i] != name && at[i] != clip(name, maxName) {
			return p
		}
	}
	return path.Join("/", path.Join(at[len(names):]...))
}

// maxName is how much of each name trace/bpf keeps of a path that it found from a descriptor.
const maxName = 31

// what names the event as exports do.
func (e *event) what() string {
	if e.Call != "" {
		return e.Call
	}
	return e.Kind.String()
}

// said is the event in one line.
func (e *event) said() string {
	var b strings.Builder
	fmt.Fprintf(&b, "kernel.%s", e.Kind)
	for _, k := range []string{"flags", "source", "target", "path", "fstype", "new", "name", "option", "resource", "device", "exe", "argv", "child", "old", "predicted", "signal", "code", "pid", "status"} {
		if v := e.Args[k]; v != "" {
			fmt.Fprintf(&b, " %s=%s", k, clip(v, 80))
		}
	}
	fmt.Fprintf(&b, " in pid %d", e.Proc.PID)
	return b.String()
}

func wanted(args []stages.Arg, instance string) string {
	s := ""
	for _, a := range args {
		s += " " + a.Key + "=" + a.Is + a.Has
	}
	if instance != "" {
		s += " of " + instance
	}
	return s
}
