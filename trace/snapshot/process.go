package snapshot

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A process is one line of the tree.
type process struct {
	pid, parent int
	inner       int // its pid in the innermost pid namespace
	depth       int // how many pid namespaces it is in
	comm, state string
	command     string
	trace       string // the trace id in its environment's first string
}

type table map[int]process

// processes reads all processes of the machine (proc_pid_status(5)).
func processes() table {
	t := table{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(pid); ok {
			t[pid] = p
		}
	}
	return t
}

func readProcess(pid int) (p process, ok bool) {
	p.pid = pid
	for line := range strings.Lines(read("/proc/%d/status", pid)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			p.comm = value
		case "State":
			p.state, _, _ = strings.Cut(value, " ")
		case "PPid":
			p.parent, _ = strconv.Atoi(value)
		case "NSpid":
			ids := strings.Fields(value)
			p.depth = len(ids)
			if len(ids) > 0 {
				p.inner, _ = strconv.Atoi(ids[len(ids)-1])
			}
		}
	}
	if p.comm == "" {
		return p, false
	}
	p.command = short(strings.Split(strings.TrimRight(read("/proc/%d/cmdline", pid), "\x00"), "\x00"))
	// TRACEPARENT is the first string of a traced program's environment, or it is not ours: "TRACEPARENT=00-" and then the id.
	if first, _, _ := strings.Cut(read("/proc/%d/environ", pid), "\x00"); strings.HasPrefix(first, "TRACEPARENT=00-") && len(first) > 47 {
		p.trace = first[15:47]
	}
	return p, true
}

// of finds the run's processes: those that were started in its trace, their descendants, and the one that waits, with its ancestors of ours.
func (t table) of(trace string, waits int) map[int]bool {
	run := map[int]bool{}
	for pid, p := range t {
		if p.trace == trace {
			run[pid] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for pid, p := range t {
			if run[p.parent] && !run[pid] {
				run[pid], grown = true, true
			}
		}
	}
	for pid := waits; pid > 1 && strings.HasPrefix(t[pid].comm, "hull"); pid = t[pid].parent {
		run[pid] = true
	}
	return run
}

// first is the container's first process: pid 1 of a pid namespace of its own.
func (t table) first(run map[int]bool) int {
	for pid := range run {
		if p := t[pid]; p.inner == 1 && p.depth > 1 && p.state != "Z" && !strings.HasPrefix(p.comm, "hulld") {
			if parent := t[p.parent]; parent.depth < p.depth {
				return pid
			}
		}
	}
	return 0
}

// tree draws who is whose child, with the one that waits marked.
func (t table) tree(run map[int]bool, waits int) (lines []string) {
	var roots []int
	for pid := range run {
		if !run[t[pid].parent] {
			roots = append(roots, pid)
		}
	}
	slices.Sort(roots)
	var draw func(pid int, indent string)
	draw = func(pid int, indent string) {
		p := t[pid]
		line := fmt.Sprintf("%s%d %s", indent, pid, p.comm)
		if p.command != "" {
			line += "  " + clip(p.command, 110)
		}
		if p.depth > 1 && p.inner != pid {
			line += fmt.Sprintf("  (pid %d inside)", p.inner)
		}
		switch p.state {
		case "Z":
			line += "  (a zombie: not yet waited for)"
		case "T", "t":
			line += "  (stopped)"
		}
		if !run[p.parent] {
			line += fmt.Sprintf("  (parent %d %s)", p.parent, t[p.parent].comm)
		}
		if pid == waits {
			line += "  <- waits here"
		}
		lines = append(lines, line)
		var children []int
		for child := range run {
			if t[child].parent == pid {
				children = append(children, child)
			}
		}
		slices.Sort(children)
		for _, child := range children {
			draw(child, indent+"  ")
		}
	}
	for _, root := range roots {
		draw(root, "")
	}
	return lines
}

// short is a command line without what is long and says little: directories, and more than twelve digits of an id.
func short(argv []string) string {
	for i, a := range argv {
		if strings.HasPrefix(a, "/") && strings.Count(a, "/") > 2 {
			a = "…/" + a[strings.LastIndexByte(a, '/')+1:]
		}
		if dir, name := a[:strings.LastIndexByte(a, '/')+1], a[strings.LastIndexByte(a, '/')+1:]; len(name) == 64 && strings.Trim(name, "0123456789abcdef") == "" {
			a = dir + name[:12]
		}
		argv[i] = clean(a)
	}
	return strings.Join(argv, " ")
}

// clean makes text of others harmless on a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
