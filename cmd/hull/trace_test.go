package main_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hull/stages"
	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew; read the diff before you commit it")

// TestTraceOfOneRun holds a plain run against its golden trace: which steps, in which order and nesting, and each one's verdict. Times,
// pids and ids are not in it.
func TestTraceOfOneRun(t *testing.T) {
	probetest.Need(t, "btf")
	e := up(t)
	out, text, code := e.run("run", "--rm", "--trace", "--network", "none", "-m", "64m", "--cpus", "0.5", "--pids-limit", "32", "busybox", "sh", "-c", "echo hi; env; exit 3")
	require.Equal(t, 3, code)
	require.Contains(t, out, "hi\n")
	require.NotContains(t, out, "TRACEPARENT", "the trace's context must not reach the user's program")
	require.NotContains(t, out, "HULL_SPANS")
	require.Contains(t, text, "runc.init.pivot_root", "the timeline goes to standard error")

	tr := e.trace()
	require.Zero(t, tr.Lost.Events)
	require.Zero(t, tr.Lost.Spans)
	compare(t, "run.golden", outline(tr))

	for _, s := range tr.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
	}
	require.Equal(t, []string{"hull-bundle", "hull-shim", "hull-shim", "hull-runc", "hull-runc", "sh", "hull-runc"}, execs(tr), "with the client eight; env is busybox itself")
	require.Equal(t, "hull-shim", adopter(tr), "the container is reparented to the shim")
	require.Equal(t, "hull-shim", tr.Summary().Reparented)
	compare(t, "init.golden", deeds(tr))
}

// TestEveryStepHappens: each step of the catalogue that is not optional is in a plain run's trace.
func TestEveryStepHappens(t *testing.T) {
	probetest.Need(t, "btf")
	e := up(t)
	e.ok("run", "--rm", "--trace", "--network", "none", "busybox", "true")
	seen := map[string]bool{}
	for _, s := range e.trace().Spans {
		seen[s.Name] = true
	}
	for _, s := range stages.All() {
		if !s.Has(stages.Optional) {
			require.True(t, seen[s.Name], "%s is missing", s.Name)
		}
	}
}

// TestTraceWithoutTheKernel: where the kernel's side cannot be had, the trace has the same steps in the same places, no kernel rows, and says
// why.
func TestTraceWithoutTheKernel(t *testing.T) {
	e := up(t, "--no-kernel", "no rights to load BPF programs")
	_, text, code := e.run("run", "--rm", "--trace", "--network", "none", "-m", "64m", "--cpus", "0.5", "--pids-limit", "32", "busybox", "true")
	require.Zero(t, code)
	require.Contains(t, text, "no rights to load BPF programs")
	tr := e.trace()
	require.Empty(t, tr.Events)
	require.Contains(t, strings.Join(tr.Notes, "\n"), "no rights to load BPF programs")
	for _, s := range tr.Spans {
		require.NotEqual(t, model.Unproved, s.Proof, "%s: nobody looked, so nothing is held against it: %s", s.Name, s.Because)
	}
	want, err := os.ReadFile("testdata/run.golden")
	require.NoError(t, err)
	require.Equal(t, names(string(want)), names(outline(tr)))
}

// names is an outline without its verdicts, and without what only the kernel tells.
func names(outline string) (lines []string) {
	for _, line := range strings.Split(outline, "\n") {
		if name, rest, _ := strings.Cut(strings.TrimLeft(line, " "), " "); !strings.Contains(rest, "by the kernel alone") {
			lines = append(lines, name)
		}
	}
	return lines
}

// deeds is what the container's first process did, as the kernel saw it, in order: one line per kind of event, runs of one kind as one.
func deeds(tr model.Trace) string {
	first := map[model.Proc]bool{}
	for _, p := range tr.Processes {
		if p.NSPID == 1 {
			first[p.Proc] = true
		}
	}
	var b strings.Builder
	last := ""
	for _, ev := range tr.Events {
		if !first[ev.Proc] {
			continue
		}
		line := ev.Kind
		switch ev.Kind {
		case stages.EventFsmount.String(), stages.EventMount.String(), stages.EventMknod.String(), stages.EventUmount.String():
			line = "mount, mknod" // how many, and in which order, differs from kernel to kernel
		}
		if line != last {
			fmt.Fprintln(&b, line)
		}
		last = line
	}
	return b.String()
}

// outline is the trace as an indented list: one line per step, children in order of their start, runs of a repeated step as one line.
func outline(tr model.Trace) string {
	children := map[string][]model.Span{}
	known := map[string]bool{}
	for _, s := range tr.Spans {
		known[s.ID] = true
	}
	for _, s := range tr.Spans {
		parent := s.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], s)
	}
	var b strings.Builder
	var walk func(id string, depth int)
	walk = func(id string, depth int) {
		last := ""
		for _, s := range children[id] {
			if s.Name != last || len(children[s.ID]) > 0 {
				who := ""
				if s.Claim == model.ClaimKernel {
					who = " by the kernel alone"
				}
				fmt.Fprintf(&b, "%s%s %s%s\n", strings.Repeat("  ", depth), s.Name, s.Proof, who)
			}
			last = s.Name
			walk(s.ID, depth+1)
		}
	}
	walk("", 0)
	return b.String()
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./cmd/hull -run TraceOfOneRun -update writes it")
	require.Equal(t, string(want), got)
}

// execs is the base name of each program executed, in order.
func execs(tr model.Trace) (names []string) {
	for _, ev := range tr.Events {
		if ev.Kind == stages.EventExec.String() {
			names = append(names, filepath.Base(ev.Args["exe"]))
		}
	}
	return names
}

// adopter is the executable that became the parent of the container's first process when runc left.
func adopter(tr model.Trace) string {
	exe := map[model.Proc]string{}
	for _, p := range tr.Processes {
		exe[p.Proc] = filepath.Base(p.Exe)
	}
	for _, p := range tr.Processes {
		if p.Stage == stages.Container.String() && len(p.Parents) > 1 {
			return exe[p.Parents[len(p.Parents)-1].Proc]
		}
	}
	return ""
}
