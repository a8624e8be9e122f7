package view_test

import (
	"fmt"

	"hull/trace/model"
)

// manyEvents is a run of a program that makes processes which all make system calls: longer than anybody wants to look at, and nothing but data.
func manyEvents(events, processes int) *model.Trace {
	const began = 1_700_000_000_000_000_000
	t := &model.Trace{Version: model.Version, ID: "00000000000000000000000000000001", Command: []string{"hull", "run", "--trace", "busybox", "storm"}, Start: began}
	first := model.Proc{PID: 10, Start: 1}
	t.Processes = append(t.Processes, model.Process{Proc: first, Stage: "container", NSPID: 1, Exe: "/bin/storm", Born: began + 1, Parents: []model.Parent{{Time: began + 1, Proc: model.Proc{PID: 2}}}})
	step := int64(10_000)
	for i := range processes {
		born := began + int64(i)*step*int64(events/processes)
		t.Processes = append(t.Processes, model.Process{
			Proc: model.Proc{PID: 100 + i, Start: uint64(i)}, Stage: "container", Exe: "/bin/storm", Born: born, Died: born + step*int64(events),
			Parents: []model.Parent{{Time: born, Proc: first}},
		})
	}
	for i := range events {
		p := t.Processes[i%len(t.Processes)]
		t.Events = append(t.Events, model.Event{
			Kind: []string{"prctl", "mount", "exec", "fsmount"}[i%4], Call: []string{"prctl", "mount", "", "fsopen"}[i%4], Time: began + int64(i)*step, Duration: step / 2,
			Proc: p.Proc, Args: map[string]string{"target": fmt.Sprintf("/mnt/%d", i)},
		})
	}
	t.Spans = append(t.Spans, model.Span{ID: "0000000000000001", Name: "container.running", Service: "storm", Proc: first, Start: began, End: began + int64(events)*step, Claim: model.ClaimKernel, Proof: model.Proved})
	return t
}
