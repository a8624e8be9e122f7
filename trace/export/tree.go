package export

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"hull/trace/model"
)

// processes prints the process tree as it grew: each process below the one that forked it, and under it what happened to it. A
// reparenting is an event in this picture, not a move: a tree can show only one parent at a time.
func (p *timeline) processes() {
	if len(p.t.Processes) == 0 {
		return
	}
	// A process from before the run that did nothing in it (the shell, its terminal) is in the trace as an ancestor only: left out.
	acted := map[model.Proc]bool{}
	for _, s := range p.t.Spans {
		acted[s.Proc] = true
	}
	for _, e := range p.t.Events {
		acted[e.Proc] = true
	}
	known := map[model.Proc]bool{}
	for _, q := range p.t.Processes {
		known[q.Proc] = q.Born != 0 || acted[q.Proc]
	}
	children := map[model.Proc][]*model.Process{}
	for i := range p.t.Processes {
		q := &p.t.Processes[i]
		if !known[q.Proc] {
			continue
		}
		var parent model.Proc // none: its parent is not in the trace
		if len(q.Parents) > 0 && known[q.Parents[0].Proc] && q.Parents[0].Proc != q.Proc {
			parent = q.Parents[0].Proc
		}
		children[parent] = append(children[parent], q)
	}
	p.line("%s", p.paint("1", "Processes, below who forked them"))
	p.family(children, model.Proc{}, "")
	p.line("")
}

func (p *timeline) family(children map[model.Proc][]*model.Process, parent model.Proc, indent string) {
	list := children[parent]
	delete(children, parent)
	slices.SortStableFunc(list, func(a, b *model.Process) int { return int(a.Born - b.Born) })
	for i, q := range list {
		branch, below := "├─ ", "│  "
		if i == len(list)-1 {
			branch, below = "└─ ", "   "
		}
		if parent == (model.Proc{}) {
			branch, below = "", ""
		}
		p.line("%s", fit(indent+branch+p.life(q), p.width))
		inner := indent + below
		stem := "   "
		if len(children[q.Proc]) > 0 {
			stem = "│  "
		}
		for _, what := range p.history(q) {
			p.line("%s", fit(inner+stem+what, p.width))
		}
		p.family(children, q.Proc, inner)
	}
}

// life is a process in one line: name, pid, what it belongs to, when it lived.
func (p *timeline) life(q *model.Process) string {
	s := p.called(q.Proc, max(p.to, p.from))
	if q.NSPID != 0 {
		s += fmt.Sprintf(", pid %d inside", q.NSPID)
	}
	switch {
	case q.Born == 0:
		s += "  (here before the trace)"
	default:
		s += "  born " + offset(q.Born-p.from)
	}
	if q.Died != 0 {
		s += ", died " + offset(q.Died-p.from)
	}
	if q.Exit != nil {
		s += fmt.Sprintf(", exit %d", *q.Exit)
	}
	return s
}

// history is what happened to a process in its life: changes of program after the first, changes of parent.
func (p *timeline) history(q *model.Process) (lines []string) {
	type moment struct {
		time int64
		text string
	}
	var all []moment
	for _, e := range q.Execs {
		text := "exec " + e.Exe
		if len(e.Args) > 0 && path.Base(e.Args[0]) != path.Base(e.Exe) {
			text += " as " + e.Args[0]
		}
		if len(e.Args) > 1 {
			text += " " + strings.Join(e.Args[1:], " ")
		}
		all = append(all, moment{e.Time, text})
	}
	for i := 1; i < len(q.Parents); i++ {
		at := q.Parents[i].Time
		all = append(all, moment{at, fmt.Sprintf("reparented: %d from %s to %s", q.Proc.PID, p.called(q.Parents[i-1].Proc, at), p.called(q.Parents[i].Proc, at))})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return int(a.time - b.time) })
	for _, m := range all {
		lines = append(lines, offset(m.time-p.from)+"  "+m.text)
	}
	return lines
}

// called is a process's binary and pid, as they were at that time.
func (p *timeline) called(proc model.Proc, at int64) string {
	binary := p.t.BinaryAt(proc, at)
	if binary == "" && proc.PID == 1 {
		binary = "init"
	}
	if binary == "" || binary == "." || binary == "/" {
		return fmt.Sprintf("pid %d", proc.PID)
	}
	return fmt.Sprintf("%s %d", path.Base(binary), proc.PID)
}
