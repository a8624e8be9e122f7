// Package snapshot reads what the kernel shows of a run at one instant: processes, namespaces, mounts, cgroups, privileges. It is what the
// stage debugger shows at a stop. Everything is read from /proc and cgroupfs; nothing is a program's claim, but for one thing: which
// processes are the run's is taken from the TRACEPARENT in their environment (proc_pid_environ(5)), and from whose children they are.
//
// trace/gate calls it, in hull-trace, which may read every process.
package snapshot

import (
	"fmt"
	"os"
)

// A Section is one part of what there is to see, in lines ready to be read.
type Section struct {
	Title string   `json:"title"`
	Lines []string `json:"lines"`
}

// A Seen is what one look remembers for the next: mounts are shown as a difference.
type Seen struct {
	mounts map[string][]mount // by mount namespace
}

// Look shows the run at the process that waits at its gate.
func Look(trace string, pid int, seen *Seen) ([]Section, *Seen) {
	if seen == nil {
		seen = &Seen{mounts: map[string][]mount{}}
	}
	all := processes()
	run := all.of(trace, pid)
	subject := pid // whose mounts, cgroups and privileges are shown: the container's first process, once there is one
	first := all.first(run)
	if first != 0 {
		subject = first
	}
	name := fmt.Sprintf("%s, pid %d", all[subject].comm, subject)
	now := []Section{
		{"processes", all.tree(run, pid)},
		{"namespaces (" + name + ")", namespaces(subject)},
		{"mounts (" + name + ")", seen.mountChanges(subject)},
		{"cgroups (" + name + ")", cgroups(subject)},
		{"privileges (" + name + ")", privileges(subject)},
	}
	for i := range now {
		now[i].bound()
	}
	return now, seen
}

// What a section may hold: a container can have any number of processes and mounts, and they all go into one packet.
const (
	maxLines = 120
	maxLine  = 300 // characters
)

func (s *Section) bound() {
	if more := len(s.Lines) - maxLines; more > 0 {
		s.Lines = append(s.Lines[:maxLines], fmt.Sprintf("and %d more", more))
	}
	for i, line := range s.Lines {
		s.Lines[i] = clip(line, maxLine)
	}
}

func read(format string, args ...any) string {
	text, err := os.ReadFile(fmt.Sprintf(format, args...))
	if err != nil {
		return ""
	}
	return string(text)
}
