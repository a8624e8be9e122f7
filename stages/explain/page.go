package explain

import (
	"fmt"
	"strings"

	"hull/stages"
)

// Page is docs/stages.md: the catalogue as a page, a section per actor, each step with its proof rule and its explanation.
func Page() string {
	var b strings.Builder
	b.WriteString("# The steps of a run\n\n")
	b.WriteString("Made by `go generate ./stages` from stages/table.go and stages/explain: change those, not this page.\n\n")
	b.WriteString("A step is one row of the catalogue. It is a span in the trace, and the claim that the span makes is held against the proof named here.\n")
	b.WriteString("Some commands below suppose a container: `hull run -d busybox sleep 1000`. Steps marked *optional* happen only in some runs, *repeated* ones\n")
	b.WriteString("several times, *late* ones perhaps after the client has left.\n\n")
	for _, stage := range stages.Stages() {
		fmt.Fprintf(&b, "- [%s](#%s)", stage, stage)
		if stage.Binary() != "" {
			fmt.Fprintf(&b, ": `%s`", stage.Binary())
		}
		fmt.Fprintf(&b, ", %s\n", steps(stage))
	}
	for _, stage := range stages.Stages() {
		fmt.Fprintf(&b, "\n## %s\n", stage)
		for _, step := range stages.All() {
			if step.Stage == stage {
				section(&b, step)
			}
		}
	}
	return b.String()
}

func steps(stage stages.Stage) string {
	n := 0
	for _, step := range stages.All() {
		if step.Stage == stage {
			n++
		}
	}
	return fmt.Sprintf("%d steps", n)
}

func section(b *strings.Builder, step stages.Step) {
	fmt.Fprintf(b, "\n### %s\n\n%s%s.", step.Name, strings.ToUpper(step.Title[:1]), step.Title[1:])
	for _, f := range []struct {
		flag stages.Flag
		name string
	}{{stages.Optional, "optional"}, {stages.Repeats, "repeated"}, {stages.Late, "late"}} {
		if step.Has(f.flag) {
			fmt.Fprintf(b, " *%s*", f.name)
		}
	}
	fmt.Fprintf(b, "\n\n> %s\n\n", step.Why)
	if step.Parent != stages.None {
		fmt.Fprintf(b, "Inside of `%s`. ", step.Parent)
	}
	fmt.Fprintf(b, "Proof: %s.\n\n%s", Rule(step.Proof), Text(step.ID))
}

// Rule says in words what a step's claim is held against.
func Rule(p stages.Proof) string {
	switch p.Kind {
	case stages.ProofEvent:
		s := "the kernel event kernel." + p.Event.String()
		for _, a := range p.Args {
			if a.Is != "" {
				s += ", " + a.Key + " = " + a.Is
			}
			if a.Has != "" {
				s += ", " + a.Key + " contains " + a.Has
			}
		}
		return s
	case stages.ProofState:
		return "a state that the tracer reads back itself, " + string(p.State)
	}
	return "none is possible: " + p.Reason
}
