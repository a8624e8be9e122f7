package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hull/stages"
)

// stagesCommand is `hull stages`: the catalogue, of which each step of a run is a row.
func (a *app) stagesCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "stages [OPTIONS] [STAGE...]", Short: "List the steps of a run: who does what, and how it is proved", Args: args(0, -1), DisableFlagsInUseLine: true,
	}
	c.Flags().StringVar(&format, "format", "table", "table or json")
	c.RunE = func(_ *cobra.Command, names []string) error {
		wanted := stages.Stages()
		if len(names) > 0 {
			wanted = nil
			for _, name := range names {
				i := slices.IndexFunc(stages.Stages(), func(s stages.Stage) bool { return s.String() == name || s.Binary() == name })
				if i < 0 {
					return &stages.Error{Kind: stages.NotFound, Thing: name, Err: fmt.Errorf("no such stage"), Hint: "client, daemon, containerd, bundle, shim, runc or container"}
				}
				wanted = append(wanted, stages.Stages()[i])
			}
		}
		switch format {
		case "table":
			a.printStages(wanted)
			return nil
		case "json":
			return a.printStagesJSON(wanted)
		}
		return &exit{125, fmt.Errorf("invalid argument %q for \"--format\" flag: use table or json", format)}
	}
	return c
}

// stepsOf lists the steps of some stages, in the catalogue's order.
func stepsOf(wanted []stages.Stage) (steps []stages.Step) {
	for _, s := range stages.All() {
		if slices.Contains(wanted, s.Stage) {
			steps = append(steps, s)
		}
	}
	return steps
}

func (a *app) printStages(wanted []stages.Stage) {
	steps := stepsOf(wanted)
	rows := table{{"STEP", "DONE BY", "PROOF", "WHEN", "WHAT HAPPENS"}}
	count := map[string]int{}
	for _, s := range steps {
		binary := s.Stage.Binary()
		if binary == "" {
			binary = "your program"
		}
		count[proofKind(s)]++
		rows = append(rows, []string{s.Name, binary, proofKind(s), strings.Join(flagNames(s), " "), s.Title})
	}
	rows.print(a.out)
	fmt.Fprintf(a.out, "\n%d steps; proof: %d by a kernel event, %d by a state that is read back, %d by nothing (hull explain STEP says why)\n",
		len(steps), count["event"], count["state"], count["none"])
}

func (a *app) printStagesJSON(wanted []stages.Stage) error {
	type row struct {
		Name   string   `json:"name"`
		Stage  string   `json:"stage"`
		Binary string   `json:"binary"`
		Parent string   `json:"parent"`
		Title  string   `json:"title"`
		Why    string   `json:"why"`
		Proof  string   `json:"proof"`  // event, state or none
		Event  string   `json:"event"`  // which kernel event
		State  string   `json:"state"`  // which state
		Reason string   `json:"reason"` // why there can be no proof
		Man    []string `json:"man"`
		Flags  []string `json:"flags"`
	}
	enc := json.NewEncoder(a.out) // one row a line, as docker's --format json has it
	enc.SetEscapeHTML(false)
	for _, s := range stepsOf(wanted) {
		r := row{
			Name: s.Name, Stage: s.Stage.String(), Binary: s.Stage.Binary(), Title: s.Title, Why: s.Why, Proof: proofKind(s),
			State: string(s.Proof.State), Reason: s.Proof.Reason, Man: append([]string{}, s.Man...), Flags: flagNames(s),
		}
		if s.Parent != stages.None {
			r.Parent = s.Parent.String()
		}
		if s.Proof.Kind == stages.ProofEvent {
			r.Event = s.Proof.Event.String()
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func proofKind(s stages.Step) string {
	return map[stages.ProofKind]string{stages.ProofEvent: "event", stages.ProofState: "state", stages.ProofNone: "none"}[s.Proof.Kind]
}

// flagNames say how a step differs from "once, in every run".
func flagNames(s stages.Step) []string {
	names := []string{}
	for _, f := range []struct {
		flag stages.Flag
		name string
	}{{stages.Repeats, "repeats"}, {stages.Optional, "optional"}, {stages.Late, "late"}} {
		if s.Has(f.flag) {
			names = append(names, f.name)
		}
	}
	return names
}
