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
	require.Equal(t, []string{"hull-bundle", "hull-shim", "hull-shim", "hull-runc", "hull-runc", "sh", "hull-runc"}, execs(tr))
	require.Equal(t, "hull-shim", adopter(tr), "the container is reparented to the shim")
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
			line := fmt.Sprintf("%s%s %s", strings.Repeat("  ", depth), s.Name, s.Proof)
			if line != last || len(children[s.ID]) > 0 {
				fmt.Fprintln(&b, line)
			}
			last = line
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
