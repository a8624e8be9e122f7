package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"hull/stages"
	"hull/trace/model"
)

// addMute makes rows of what the kernel saw and nobody claimed: a runtime that says nothing still shows its work, and the container's own
// rows can come from nobody else. A row that is not repeated is added only if no program has claimed the step; of a repeated one, each event
// that is no claim's evidence and lies in no claim of that step.
func (v *view) addMute() {
	claimed := map[stages.ID][]model.Span{}
	evidence := map[int]bool{}
	for _, s := range v.spans {
		if id, ok := stages.Lookup(s.Name); ok {
			claimed[id] = append(claimed[id], s)
		}
		for _, e := range s.Evidence {
			evidence[e] = true
		}
	}
	rows := len(v.spans)
	c := &classifier{tree: v.tree, run: v.run, pivoted: map[model.Proc]bool{}, verb: map[model.Proc]string{}, done: map[stages.ID]bool{}}
	for i := range v.events {
		e := &v.events[i]
		for _, k := range c.classify(e) {
			step := k.id.Step()
			switch {
			case evidence[i] && step.Has(stages.Repeats), step.Has(stages.Repeats) && within(e, claimed[k.id]):
				continue
			case !step.Has(stages.Repeats) && (len(claimed[k.id]) > 0 || c.done[k.id]):
				continue
			}
			c.done[k.id] = true
			k.instance = v.inside(k.instance)
			v.spans = append(v.spans, v.row(i, k))
		}
	}
	if p := v.tree.procs[v.client()]; p != nil && !c.done[stages.ClientCommand] && len(claimed[stages.ClientCommand]) == 0 {
		v.spans = append(v.spans, v.clientRow(p))
	}
	v.adopt(rows)
}

// client is the process that the trace was begun for, or none.
func (v *view) client() model.Proc {
	for p := range v.run.before {
		if p.PID == v.run.client {
			return p
		}
	}
	return model.Proc{}
}

// clientRow is the root of a run whose client knows nothing of hull-trace: a real docker client. It was there before its first request made the
// trace, so its exec was not seen; /proc names its program.
func (v *view) clientRow(p *model.Process) model.Span {
	sum := sha256.Sum256([]byte(v.run.id + " client"))
	s := model.Span{
		ID: hex.EncodeToString(sum[:8]), Name: stages.ClientCommand.String(), Service: path.Base(p.Exe), Proc: p.Proc, Start: v.run.started, End: p.Died,
		Claim: model.ClaimKernel, Proof: model.Proved, Because: fmt.Sprintf("pid %d runs %s", p.Proc.PID, p.Exe),
	}
	if p.Exe == "" {
		s.Service, s.Proof, s.Because = p.Comm, model.NoProof, "it had ended before its program could be read"
	}
	if s.End == 0 {
		s.End = s.Start
		for _, o := range v.spans {
			s.End = max(s.End, o.End)
		}
	}
	return s
}

func within(e *event, spans []model.Span) bool {
	for _, s := range spans {
		if e.Proc == s.Proc && e.wall >= s.Start-slack && e.wall <= s.End+slack {
			return true
		}
	}
	return false
}

// A kernelRow is a step that an event shows.
type kernelRow struct {
	id       stages.ID
	instance string
	whole    bool // from here to the process's end, not only the event
}

// row is the span of an event that nobody claimed.
func (v *view) row(i int, k kernelRow) model.Span {
	e := &v.events[i]
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", v.run.id, i, k.id))
	s := model.Span{
		ID: hex.EncodeToString(sum[:8]), Name: k.id.String(), Instance: k.instance, Proc: e.Proc, TID: e.TID,
		Start: e.wall - int64(e.Duration), End: e.wall, Claim: model.ClaimKernel, Proof: model.Proved, Evidence: []int{i}, Because: e.said(),
	}
	p := v.tree.procs[e.Proc]
	s.Service = path.Base(v.tree.exeAt(e.Proc, e.wall))
	if k.whole {
		s.End = v.events[len(v.events)-1].wall
		if p != nil && p.Died != 0 {
			s.End = p.Died
		}
	}
	if e.Ret < 0 {
		s.Error = e.what() + ": " + e.Args["errno"]
	}
	return s
}

// adopt finds each new row its parent: the catalogue's, if that step is there (the same process's before others), else the span that the
// event happened in.
func (v *view) adopt(first int) {
	byStep := map[stages.ID][]int{}
	for i, s := range v.spans {
		if id, ok := stages.Lookup(s.Name); ok {
			byStep[id] = append(byStep[id], i)
		}
	}
	root := v.root()
	for i := range v.spans {
		s := &v.spans[i]
		if i < first {
			if s.ID != root && v.isRequest(s) {
				s.Parent = root
			}
			continue
		}
		for want := s.Step().Parent; want != stages.None && s.Parent == ""; want = want.Step().Parent {
			for _, j := range byStep[want] {
				if j != i && (s.Parent == "" || v.spans[j].Start <= s.Start) {
					s.Parent = v.spans[j].ID
				}
			}
		}
		if s.Parent == "" && root != s.ID {
			s.Parent = root
		}
	}
}

// isRequest reports whether a step answers a request of a client that opens no span. It has no parent then, or hulld has named the only step that
// it has of this trace: the first.
func (v *view) isRequest(s *model.Span) bool {
	step := s.Step()
	if step.ID == stages.None || s.Parent == "" {
		return step.ID != stages.None
	}
	if step.Parent.Step().Stage != stages.Client || step.Stage != stages.Daemon {
		return false
	}
	i := slices.IndexFunc(v.spans, func(o model.Span) bool { return o.ID == s.Parent })
	return i >= 0 && v.spans[i].Step().Stage == stages.Daemon
}

// root is the client's command, if it is there; else the first claim without a parent.
func (v *view) root() string {
	root := ""
	for _, s := range v.spans {
		switch {
		case s.Name == stages.ClientCommand.String() && s.Parent == "":
			return s.ID
		case root == "" && s.Parent == "" && s.Claim == model.ClaimSpan:
			root = s.ID
		}
	}
	return root
}

// A classifier tells which step an event shows, by the process it lies in and what that process did before.
type classifier struct {
	tree    *tree
	run     *run
	pivoted map[model.Proc]bool
	verb    map[model.Proc]string // the runtime's processes: create, start, kill, ...
	stage   map[model.Proc]string
	done    map[stages.ID]bool
}

// classify follows the events in time order. Stages are the executables' (tree.go), kept here as they were at the event.
func (c *classifier) classify(e *event) []kernelRow {
	if c.stage == nil {
		c.stage = map[model.Proc]string{}
		for p, was := range c.run.before {
			c.stage[p] = was.Stage
		}
	}
	stage := c.stage[e.Proc]
	switch e.Kind {
	case stages.EventClone:
		c.stage[e.Other], c.verb[e.Other] = stage, c.verb[e.Proc]
		if stage == stages.Runc.String() {
			return c.runtime(e)
		}
		return nil
	case stages.EventExec:
		return c.exec(e)
	case stages.EventExit:
		return c.exit(e, stage)
	case stages.EventReparent:
		if e.Proc == c.run.target.init && c.stage[e.Parent] == stages.Shim.String() {
			return []kernelRow{{id: stages.ShimAdopt}}
		}
		return nil
	}
	switch stage {
	case stages.Runc.String():
		return c.runtime(e)
	case stages.Shim.String():
		return c.shim(e)
	}
	return nil
}

func (c *classifier) exec(e *event) []kernelRow {
	was := c.stage[e.Proc]
	now := c.tree.execs[e]
	c.stage[e.Proc] = now
	switch {
	case now == stages.Container.String() && e.Proc == c.run.target.init && was != now:
		return []kernelRow{{id: stages.RuncInitExec}, {id: stages.ContainerRunning, whole: true}}
	case now == stages.Bundle.String():
		return []kernelRow{{id: stages.ContainerdBundle}}
	case now == stages.Client.String() && was != now && e.Proc.PID == c.run.client:
		return []kernelRow{{id: stages.ClientCommand, whole: true}}
	case now == stages.Shim.String():
		switch verbOf(e.Argv, "start", "delete") {
		case "start":
			return []kernelRow{{id: stages.ContainerdShimStart, whole: true}}
		case "":
			return []kernelRow{{id: stages.ShimStart}}
		}
	case now == stages.Runc.String() && was != now:
		c.verb[e.Proc] = verbOf(e.Argv, "create", "start", "kill", "delete", "exec", "run")
		switch c.verb[e.Proc] {
		case "create", "run":
			return []kernelRow{{id: stages.ShimRuntimeCreate, whole: true}, {id: stages.RuncCreate, whole: true}}
		case "start":
			return []kernelRow{{id: stages.ShimRuntimeStart, whole: true}, {id: stages.RuncStart, whole: true}}
		case "kill":
			return []kernelRow{{id: stages.RuncKill, whole: true}}
		case "delete":
			return []kernelRow{{id: stages.ShimRuntimeDelete, whole: true}, {id: stages.RuncDelete, whole: true}}
		case "exec":
			return []kernelRow{{id: stages.RuncExec, whole: true}}
		}
	}
	return nil
}

func (c *classifier) exit(e *event, stage string) []kernelRow {
	switch {
	case e.Proc == c.run.target.init:
		return []kernelRow{{id: stages.ContainerExit}}
	case e.Proc == c.run.target.creator:
		return []kernelRow{{id: stages.RuncCreateExit}}
	case e.Proc.PID == c.run.client && stage == stages.Client.String():
		return []kernelRow{{id: stages.ClientExit}}
	}
	return nil
}

func (c *classifier) shim(e *event) []kernelRow {
	switch {
	case e.Kind == stages.EventPrctl && e.Args["option"] == "PR_SET_CHILD_SUBREAPER":
		return []kernelRow{{id: stages.ShimSubreaper}}
	case e.Kind == stages.EventMount && strings.Contains(e.Args["target"], "rootfs"):
		return []kernelRow{{id: stages.ShimRootfsMount}}
	case e.Kind == stages.EventWait && c.run.target.init.PID != 0 && e.Args["pid"] == fmt.Sprint(c.run.target.init.PID):
		return []kernelRow{{id: stages.ShimReap}}
	}
	return nil
}

// runtime maps what a runtime's processes do to the steps of creating a container.
func (c *classifier) runtime(e *event) []kernelRow {
	if v := c.verb[e.Proc]; v != "create" && v != "run" || e.Ret < 0 {
		return nil
	}
	switch e.Kind {
	case stages.EventCgroupMkdir:
		return one(stages.RuncCgroupCreate, e.Args["hierarchy"])
	case stages.EventCgroupAttach:
		return one(stages.RuncCgroupJoin, e.Args["hierarchy"])
	case stages.EventClone, stages.EventUnshare:
		if e.Args["flags"] == "CLONE_NEWCGROUP" {
			return one(stages.RuncInitCgroupNamespace, "")
		}
		if strings.Contains(e.Args["flags"], "CLONE_NEW") {
			return one(stages.RuncNsCreate, "")
		}
		return nil
	}
	if e.Proc == c.run.target.init {
		return c.init(e)
	}
	return nil
}

func one(id stages.ID, instance string) []kernelRow { return []kernelRow{{id: id, instance: instance}} }

// init maps what the container's first process does before it becomes the user's program. The order of a mount and pivot_root tells a mount of
// the new root from a mask.
func (c *classifier) init(e *event) []kernelRow {
	switch e.Kind {
	case stages.EventSetsid:
		return one(stages.RuncInitSession, "")
	case stages.EventMount:
		return c.mount(e)
	case stages.EventMknod: // a mount point's empty file and a link come by the same calls
		if mode := e.Args["mode"]; !strings.HasPrefix(mode, "c ") && !strings.HasPrefix(mode, "b ") {
			return nil
		}
		return one(stages.RuncInitDevices, e.Args["path"])
	case stages.EventPivotRoot:
		c.pivoted[e.Proc] = true
		return one(stages.RuncInitPivotRoot, "")
	case stages.EventSethostname:
		return one(stages.RuncInitHostname, "")
	case stages.EventPrlimit:
		return one(stages.RuncInitRlimits, e.Args["resource"])
	case stages.EventSetuid:
		return one(stages.RuncInitUser, e.Call)
	case stages.EventCapset:
		return one(stages.RuncInitCapabilities, "")
	case stages.EventSeccomp:
		if e.Args["operation"] == "SECCOMP_SET_MODE_FILTER" {
			return one(stages.RuncInitSeccomp, "")
		}
	case stages.EventPrctl:
		switch e.Args["option"] {
		case "PR_SET_NO_NEW_PRIVS":
			return one(stages.RuncInitNoNewPrivs, "")
		case "PR_SET_SECCOMP":
			return one(stages.RuncInitSeccomp, "")
		}
	}
	return nil
}

func (c *classifier) mount(e *event) []kernelRow {
	target, flags := e.Args["target"], e.Args["flags"]
	switch {
	case c.pivoted[e.Proc] && target == ".": // the old root is made a slave before it is unmounted: pivot_root's own
		return nil
	case c.pivoted[e.Proc]:
		return []kernelRow{{id: stages.RuncInitMaskedPaths, instance: target}}
	case target == "/" && e.Args["fstype"] == "" && (strings.Contains(flags, "MS_SLAVE") || strings.Contains(flags, "MS_PRIVATE")):
		return []kernelRow{{id: stages.RuncInitPropagation}}
	}
	return []kernelRow{{id: stages.RuncInitMounts, instance: target}}
}

// verbOf is the first of the words that is an argument of its own, after the program's name.
func verbOf(argv []string, verbs ...string) string {
	for i, a := range argv {
		for _, v := range verbs {
			if i > 0 && a == v {
				return v
			}
		}
	}
	return ""
}
