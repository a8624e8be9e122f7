package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A process is one of those that the show is about.
type process struct {
	pid   int
	start uint64 // field 22 of /proc/PID/stat: with the pid it names a process for good
	role  string // what it is called in the picture
}

// find is the process that has this pid now.
func find(pid int, role string) process {
	_, start := stat(pid)
	return process{pid, start, role}
}

// alive asks the kernel. A zombie has ended.
func (p process) alive() bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil || strings.Contains(string(text), ") Z ") {
		return false
	}
	_, start := stat(p.pid)
	return p.pid != 0 && start == p.start
}

// stat reads a process's parent and start time (proc_pid_stat(5), fields 4 and 22); 0, 0 if it is gone.
func stat(pid int) (parent int, start uint64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(fields[1])
	start, _ = strconv.ParseUint(fields[19], 10, 64)
	return parent, start
}

// name is what a process that is not of the show is called: its executable's name, or its task's.
func name(pid int) string {
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
		return filepath.Base(exe)
	}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(text))
}

// tree draws the processes that live, each below its parent as the kernel has it now, and names those that are dead.
func tree(cast []process) string {
	role := map[int]string{}
	children := map[int][]int{}
	var dead []string
	for _, p := range cast {
		if !p.alive() {
			dead = append(dead, fmt.Sprintf("%s %d", p.role, p.pid))
			continue
		}
		role[p.pid] = p.role
		parent, _ := stat(p.pid)
		children[parent] = append(children[parent], p.pid)
	}
	var roots []int
	for parent := range children {
		if role[parent] == "" {
			roots = append(roots, parent)
		}
	}
	slices.Sort(roots)
	var b strings.Builder
	for _, root := range roots {
		fmt.Fprintf(&b, "  %s %d\n", name(root), root)
		branch(&b, children, role, root, "  ")
	}
	if len(dead) > 0 {
		fmt.Fprintf(&b, "  dead: %s\n", strings.Join(dead, ", "))
	}
	return b.String()
}

func branch(b *strings.Builder, children map[int][]int, role map[int]string, pid int, indent string) {
	for i, child := range children[pid] {
		mark, next := "├─ ", "│  "
		if i == len(children[pid])-1 {
			mark, next = "└─ ", "   "
		}
		fmt.Fprintf(b, "%s%s%s %d\n", indent, mark, role[child], child)
		branch(b, children, role, child, indent+next)
	}
}
