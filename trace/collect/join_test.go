package collect

import (
	"fmt"
	"testing"

	"hull/stages"
	"hull/trace/bpf"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// span is a claim of process 1 from..to.
func claim(id string, pid int, from, to int64) model.Span {
	return model.Span{ID: id, Proc: model.Proc{PID: pid}, Start: from, End: to, Claim: model.ClaimSpan}
}

func at(pid int, time int64) event {
	return event{bpf.Event{Kind: stages.EventPrctl, Proc: model.Proc{PID: pid}}, time}
}

func TestJoinInnermost(t *testing.T) {
	v := &view{
		run:   &run{},
		spans: []model.Span{claim("outer", 1, 0, 100), claim("inner", 1, 10, 20), claim("other", 2, 12, 18), claim("late", 1, 90, 120)},
	}
	fork := event{bpf.Event{Kind: stages.EventClone, Proc: model.Proc{PID: 1}, Other: model.Proc{PID: 3}}, 16}
	doubtful := event{bpf.Event{Kind: stages.EventClone, Proc: model.Proc{PID: 1}, Other: model.Proc{PID: 5}}, 99}
	marked := at(2, 95)
	marked.Marker = "inner"
	exec := event{bpf.Event{Kind: stages.EventExec, Proc: model.Proc{PID: 4}, Traceparent: "00-0123456789abcdef0123456789abcdef-000000000other000-01"}, 96}
	v.events = []event{at(1, 5), at(1, 15), at(2, 15), fork, at(1, 50), at(3, 60), at(1, 95), doubtful, marked, exec, at(1, 110), at(9, 111), at(5, 130)}
	v.spans[2].ID, exec.Traceparent = "00000000other000", "00-0123456789abcdef0123456789abcdef-00000000other000-01"
	v.events[9] = exec
	v.join()
	for i, want := range []struct {
		span  string
		guess bool
	}{
		{"outer", false},
		{"inner", false},
		{"00000000other000", false},
		{"inner", false},
		{"outer", false},
		{"inner", false}, // a child without a span of its own: where it was forked
		{"late", true},   // late and outer overlap
		{"late", true},
		{"inner", false},
		{"00000000other000", false},
		{"late", false},
		{"", false},
		{"late", true}, // its fork was a guess
	} {
		got := ""
		if v.at[i] >= 0 {
			got = v.spans[v.at[i]].ID
		}
		require.Equal(t, want.span, got, "event %d", i)
		require.Equal(t, want.guess, v.guess[i], "event %d", i)
	}
}

// BenchmarkBuild lays 100,000 events over 1,000 spans of 100 processes.
func BenchmarkBuild(b *testing.B) {
	r := &run{before: map[model.Proc]model.Process{}}
	for i := range 1000 {
		s := claim(fmt.Sprintf("%016x", i), i%100, int64(i)*100, int64(i)*100+5000)
		s.Name = stages.RuncInitMounts.String()
		r.spans = append(r.spans, s)
	}
	for i := range 100_000 {
		e := at(i%100, int64(i))
		e.Kind, e.Args = stages.EventMount, map[string]string{"target": "/proc", "fstype": "proc"}
		r.events = append(r.events, e)
	}
	b.ResetTimer()
	for b.Loop() {
		t := build(r, 0)
		require.Len(b, t.Events, 100_000)
	}
}
