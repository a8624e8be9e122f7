// Package model is a trace as data: the claims, the kernel's events, the processes they happened in, and the verdicts. hull-trace's
// collector makes it; the exports and the viewer read it; on disk it is this package's JSON (Version says which form).
//
// Nothing here decides anything: the join and the proofs are trace/collect's.
package model

import (
	"regexp"

	"hull/stages"
)

// Version is the form of the JSON on disk. A reader refuses a newer one by name.
const Version = 1

// A Trace is one run.
type Trace struct {
	Version   int       `json:"version"`
	ID        string    `json:"id"` // 32 hex digits
	Command   []string  `json:"command,omitempty"`
	Container string    `json:"container,omitempty"`
	Start     int64     `json:"start"`  // Unix time in ns
	End       int64     `json:"end"`    // 0 while it goes on
	Spans     []Span    `json:"spans"`  // by start time
	Events    []Event   `json:"events"` // by time
	Processes []Process `json:"processes"`
	Lost      Lost      `json:"lost"`
	Notes     []string  `json:"notes,omitempty"` // such as "kernel rows absent: no BPF rights (EPERM)"
}

// Lost counts what did not arrive. It is shown, never silent.
type Lost struct {
	Events uint64 `json:"events"` // the kernel's ring buffer was full
	Spans  uint64 `json:"spans"`  // a program could not hand them over
}

// A Proc names a process for good: a pid is used again, a pid with its start time is not.
type Proc struct {
	PID   int    `json:"pid"`   // in the initial pid namespace
	Start uint64 `json:"start"` // clock ticks since boot, field 22 of /proc/PID/stat
}

// Claim says who speaks.
type Claim string

const (
	ClaimSpan   Claim = "span"   // a program opened a span
	ClaimKernel Claim = "kernel" // no program said so; the kernel's events show it
)

// Verdict is the outcome of a proof rule.
type Verdict string

const (
	Proved   Verdict = "proved"
	Unproved Verdict = "unproved"
	NoProof  Verdict = "none" // the step's rule says why there can be none, or the tracer could not look (Trace.Notes)
)

// A Span is one step that happened, or that somebody claims happened.
type Span struct {
	ID       string            `json:"id"`               // 16 hex digits
	Parent   string            `json:"parent,omitempty"` // a Span's ID; may be missing from Spans if it never arrived
	Name     string            `json:"name"`             // the step's dotted name; foreign names are kept
	Instance string            `json:"instance,omitempty"`
	Service  string            `json:"service"` // the binary's name
	Proc     Proc              `json:"proc"`
	TID      int               `json:"tid,omitempty"`
	Start    int64             `json:"start"` // Unix time in ns
	End      int64             `json:"end"`
	Error    string            `json:"error,omitempty"`
	Attrs    map[string]string `json:"attrs,omitempty"`
	Links    []string          `json:"links,omitempty"` // ids of spans in this trace that this one continues
	Claim    Claim             `json:"claim"`
	Proof    Verdict           `json:"proof"`
	Evidence []int             `json:"evidence,omitempty"` // indices into Events that prove it
	Because  string            `json:"because,omitempty"`  // one line: what was found, or what is missing
	Late     bool              `json:"late,omitempty"`     // ended after the client had left
}

// Label is the instance as people read it: a container's id in it is cut to the twelve digits that every listing shows.
func (s Span) Label() string {
	return longID.ReplaceAllStringFunc(s.Instance, func(id string) string { return id[:12] })
}

var longID = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// Step is the catalogue's row for the span, or the zero Step for a name it does not know.
func (s Span) Step() stages.Step {
	id, _ := stages.Lookup(s.Name)
	return id.Step()
}

// An Event is one thing the kernel did.
type Event struct {
	Kind     string            `json:"kind"` // stages.Event's name
	Time     int64             `json:"time"` // Unix time in ns, at its end
	Duration int64             `json:"duration,omitempty"`
	Proc     Proc              `json:"proc"`
	TID      int               `json:"tid,omitempty"`
	Comm     string            `json:"comm,omitempty"` // the kernel's task name at that moment
	Call     string            `json:"call,omitempty"` // the system call's name, for those that are one
	Ret      int64             `json:"ret"`
	Args     map[string]string `json:"args,omitempty"`  // decoded: "flags" = "CLONE_NEWNS|CLONE_NEWPID", "target" = "/proc"
	Span     string            `json:"span,omitempty"`  // the innermost step it happened in
	Guess    bool              `json:"guess,omitempty"` // joined by time alone
}

// A Process is one process of the run, from its fork to its exit, as the kernel saw it. It exists only where kernel events do.
type Process struct {
	Proc    Proc     `json:"proc"`
	NSPID   int      `json:"nspid,omitempty"` // its pid inside its own pid namespace, if that differs
	Stage   string   `json:"stage"`           // the actor it belongs to, by its executable: "runc", "shim", ...; "" if none
	Exe     string   `json:"exe,omitempty"`   // its last executable
	Comm    string   `json:"comm,omitempty"`
	Born    int64    `json:"born,omitempty"` // 0: before the trace
	Died    int64    `json:"died,omitempty"` // 0: still alive at the trace's end
	Exit    *int     `json:"exit,omitempty"` // exit code; 128+signal if a signal ended it
	Execs   []Exec   `json:"execs,omitempty"`
	Parents []Parent `json:"parents,omitempty"` // its parents in time; the first is who forked it
	Threads bool     `json:"threads,omitempty"` // a daemon that was here before: only its marked threads' events are in the trace
}

// An Exec is one change of program.
type Exec struct {
	Time int64    `json:"time"`
	Exe  string   `json:"exe"`
	Args []string `json:"args,omitempty"`
}

// A Parent says from when on another process was a process's parent.
type Parent struct {
	Time int64 `json:"time"`
	Proc Proc  `json:"proc"`
}
