package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"hull/stages"
	"hull/trace/model"
)

// A row is a span as the span-shaped formats write it: a step, or a kernel event.
type row struct {
	id, parent string
	name       string
	service    string
	proc       model.Proc
	start, end int64
	attrs      []attr
	marks      []mark   // events too small to be a span of their own
	links      []string // ids of spans that this one continues
	err        string
	warning    string
	orphan     bool // parent is not in the trace: it never arrived
}

// An attr is a string, or a number if str is empty and isInt.
type attr struct {
	key   string
	str   string
	num   int64
	isInt bool
}

func text(key, value string) attr     { return attr{key: key, str: value} }
func number(key string, v int64) attr { return attr{key: key, num: v, isInt: true} }

// sorted is a map as attributes, by key.
func sorted(m map[string]string) (attrs []attr) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		attrs = append(attrs, text(k, m[k]))
	}
	return attrs
}

// A mark is a moment inside a row.
type mark struct {
	name  string
	time  int64
	attrs []attr
}

// small are the kernel events that come in numbers and say little one by one. They become marks of their step, unless they prove one:
// what proves a step is always a span.
var small = map[string]bool{
	"fsmount": true, "umount": true, "chroot": true, "mknod": true, "prlimit": true, "setuid": true, "setsid": true, "prctl": true,
	"wait": true, "signal": true, "accept": true,
}

// rows flattens a trace: steps first, then the kernel events that are spans.
func rows(t *model.Trace) []row {
	evidence := map[int]bool{}
	known := map[string]int{}
	all := make([]row, 0, len(t.Spans)+len(t.Events))
	root := -1
	for i, s := range t.Spans {
		all = append(all, stepRow(s))
		known[s.ID] = i
		for _, e := range s.Evidence {
			evidence[e] = true
		}
		if s.Parent == "" && root < 0 {
			root = i
		}
	}
	for i := range all {
		if p := all[i].parent; p != "" {
			if _, ok := known[p]; !ok {
				all[i].orphan = true
			}
		}
	}
	if root >= 0 {
		all[root].attrs = append(all[root].attrs, rootAttrs(t)...)
	}
	for i, e := range t.Events {
		at, ok := known[e.Span]
		if !ok {
			at = root // an event of no step, or of one that never arrived
		}
		if at >= 0 && small[e.Kind] && !evidence[i] {
			all[at].marks = append(all[at].marks, mark{name: "kernel." + e.Kind, time: e.Time, attrs: eventAttrs(e)})
			continue
		}
		all = append(all, eventRow(t, i, e, at, all))
	}
	return all
}

func stepRow(s model.Span) row {
	r := row{id: s.ID, parent: s.Parent, name: s.Name, service: s.Service, proc: s.Proc, start: s.Start, end: max(s.End, s.Start), links: s.Links, err: s.Error}
	if s.Step().Name != "" {
		r.attrs = append(r.attrs, text(stages.AttrStep, s.Name))
	}
	if s.Instance != "" {
		r.attrs = append(r.attrs, text(stages.AttrInstance, s.Instance))
	}
	r.attrs = append(r.attrs, text(stages.AttrProof, string(s.Proof)), text(stages.AttrClaim, string(s.Claim)))
	if s.Because != "" {
		r.attrs = append(r.attrs, text("hull.because", s.Because))
	}
	if s.TID != 0 {
		r.attrs = append(r.attrs, number(stages.AttrTID, int64(s.TID)))
	}
	r.attrs = append(r.attrs, sorted(s.Attrs)...)
	if s.Proof == model.Unproved {
		r.warning = "claimed, not proved: " + s.Because
	}
	return r
}

func rootAttrs(t *model.Trace) []attr {
	attrs := []attr{number(stages.AttrLost, int64(t.Lost.Events)), number("hull.spans.lost", int64(t.Lost.Spans))}
	if t.Container != "" {
		attrs = append(attrs, text(stages.AttrContainer, t.Container))
	}
	if len(t.Command) > 0 {
		attrs = append(attrs, text("process.command_args", fmt.Sprintf("%q", t.Command)))
	}
	for i, n := range t.Notes {
		attrs = append(attrs, text("hull.note."+strconv.Itoa(i+1), n))
	}
	return attrs
}

func eventRow(t *model.Trace, i int, e model.Event, parent int, all []row) row {
	// Event.Time is the call's end; a reader wants the bar to lie where the call was.
	r := row{id: eventID(t.ID, i), name: "kernel." + e.Kind, proc: e.Proc, start: e.Time - e.Duration, end: e.Time, attrs: eventAttrs(e)}
	if r.service = t.BinaryAt(e.Proc, e.Time); r.service == "" {
		r.service = "kernel"
	}
	if parent >= 0 {
		r.parent = all[parent].id
	}
	return r
}

func eventAttrs(e model.Event) []attr {
	attrs := []attr{text(stages.AttrClaim, string(model.ClaimKernel))}
	if e.Call != "" {
		attrs = append(attrs, text("syscall", e.Call), number("return", e.Ret))
	}
	if e.Comm != "" {
		attrs = append(attrs, text("task.name", e.Comm))
	}
	if e.TID != 0 {
		attrs = append(attrs, number(stages.AttrTID, int64(e.TID)))
	}
	if e.Guess {
		attrs = append(attrs, text(stages.AttrGuess, "true"))
	}
	return append(attrs, sorted(e.Args)...)
}

// eventID makes up a span id for a kernel event: the same one in every export of the same trace.
func eventID(trace string, i int) string {
	sum := sha256.Sum256([]byte(trace + " event " + strconv.Itoa(i)))
	return hex.EncodeToString(sum[:8])
}
