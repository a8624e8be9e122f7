// Package modeltest makes traces for the tests of what reads them: the exports and the viewer. They are made up, but in the form, the
// order and the nesting of a real one; the times are in proportion to those of a small machine.
//
// The collector's own tests use none of this: they look at a real kernel.
package modeltest

import (
	"slices"
	"strconv"
	"strings"

	"hull/stages"
	"hull/trace/model"
)

const (
	newFlags  = "CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET|SIGCHLD"
	id        = "7f3a9c0e51d24b86a1c5e0f7b3d2984611aa5c0d9be84f7263c1d5e8f90a4b27"
	lower     = "/var/lib/hull/snapshots/1/fs"
	bundleDir = "/run/hull/bundles/7f3a9c0e51d2"
)

// Run is `hull run --rm --trace busybox echo hi` from the command to its exit: every step proved that can be.
func Run() *model.Trace {
	b := newBuilder("4bf92f3577b34da6a3ce929d0e0e4736", "hull", "run", "--rm", "--trace", "busybox", "echo", "hi")
	b.t.Container = id
	hulld := b.daemon(812, stages.Daemon, "/usr/local/bin/hulld")
	ctrd := b.daemon(823, stages.Containerd, "/usr/local/bin/hull-containerd")

	hull := b.client()
	command := b.begin(stages.ClientCommand, hull, "")
	b.wait(900)
	b.step(stages.ClientPayload, hull, "", func() { b.wait(120) })
	b.step(stages.ClientCreate, hull, "", func() {
		b.connect(hull, hulld, "/run/hull/hull.sock")
		b.create(hulld, ctrd)
	})
	b.step(stages.ClientAttach, hull, "", func() { b.connect(hull, hulld, "/run/hull/hull.sock"); b.wait(300) })
	wait := b.begin(stages.ClientWait, hull, "")
	b.connect(hull, hulld, "/run/hull/hull.sock")
	b.open = b.open[:len(b.open)-1] // it goes on while others work

	r := run{builder: b, hulld: hulld, ctrd: ctrd, waitSpan: wait}
	b.step(stages.ClientStart, hull, "", r.start)
	r.finish()
	b.end(wait)
	b.step(stages.ClientExit, hull, "", func() { b.exit(hull, 0) })
	b.end(command)
	return b.done()
}

// Liar is the run of a runtime that claims every step and never calls pivot_root, on a machine that lost events.
func Liar() *model.Trace {
	t := Run()
	gone := map[int]int{} // old index to new
	var kept []model.Event
	for i, e := range t.Events {
		if e.Kind == stages.EventPivotRoot.String() {
			continue
		}
		gone[i] = len(kept)
		kept = append(kept, e)
	}
	t.Events = kept
	for i := range t.Spans {
		s := &t.Spans[i]
		for j, e := range s.Evidence {
			s.Evidence[j] = gone[e]
		}
		if s.Name == stages.RuncInitPivotRoot.String() {
			s.Evidence, s.Proof, s.Because = nil, model.Unproved, "no kernel.pivot_root in this process in this time"
		}
	}
	t.Lost.Events = 12
	return t
}

// Unseen is the run on a machine where the kernel side could not be had: claims only.
func Unseen() *model.Trace {
	t := Run()
	t.Events, t.Processes = nil, nil
	t.Notes = []string{"kernel rows absent: no BPF rights (EPERM)"}
	t.Spans = slices.DeleteFunc(t.Spans, func(s model.Span) bool { return s.Claim == model.ClaimKernel })
	for i := range t.Spans {
		s := &t.Spans[i]
		s.Evidence = nil
		if s.Step().Proof.Kind != stages.ProofNone {
			s.Proof, s.Because = model.NoProof, t.Notes[0]
		}
	}
	return t
}

// Hostile is the run of a container whose every name attacks whatever shows it: markup, terminal controls, direction overrides.
func Hostile() *model.Trace {
	const evil = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">\x1b]0;pwned\x07\x1b[2J\u202e\u2028<!--${1}`"
	t := Run()
	t.Command = append(t.Command, evil)
	t.Notes = []string{evil}
	for i := range t.Spans {
		s := &t.Spans[i]
		s.Instance, s.Because, s.Error = evil, evil, evil
		s.Attrs = map[string]string{evil: evil, "constructor": "x"}
		if i%5 == 4 {
			s.Name, s.Service = evil, evil
		}
	}
	for i := range t.Events {
		e := &t.Events[i]
		e.Comm, e.Args = evil, map[string]string{evil: evil}
		if i%7 == 6 {
			e.Kind = evil
		}
	}
	for i := range t.Processes {
		p := &t.Processes[i]
		p.Exe, p.Comm = "/"+strings.ReplaceAll(evil, "/", "|"), evil
		for j := range p.Execs {
			p.Execs[j].Exe, p.Execs[j].Args = p.Exe, []string{evil}
		}
	}
	return t
}

func itoa(n int) string { return strconv.Itoa(n) }
