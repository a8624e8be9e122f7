package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hull/stages/probe"
)

// doctorCommand is `hull doctor`: what the kernel and the caller can do, found by trying it, and what each lack costs. It needs no daemon.
func (a *app) doctorCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "doctor [OPTIONS]", Short: "Try what this machine offers, and say what each lack costs", Args: args(0, 0), DisableFlagsInUseLine: true,
		Long: "Try what this machine offers, and say what each lack costs. The exit code is 1 if no container can run here.",
	}
	c.Flags().StringVar(&format, "format", "table", "table or json")
	c.RunE = func(*cobra.Command, []string) error {
		if format != "table" && format != "json" {
			return &exit{125, fmt.Errorf("invalid argument %q for \"--format\" flag: use table or json", format)}
		}
		results := probe.All()
		lacks := 0
		for _, r := range results {
			if r.Needed && r.Answer != probe.Yes {
				lacks++
			}
		}
		if format == "json" {
			enc := json.NewEncoder(a.out)
			enc.SetEscapeHTML(false)
			for _, r := range results {
				if err := enc.Encode(r); err != nil {
					return err
				}
			}
		} else {
			a.printDoctor(results, lacks)
		}
		if lacks > 0 {
			return &exit{code: 1}
		}
		return nil
	}
	return c
}

func (a *app) printDoctor(results []probe.Result, lacks int) {
	topic := ""
	for _, r := range results {
		if r.Topic != topic {
			topic = r.Topic
			fmt.Fprintf(a.out, "%s\n", topic)
		}
		sign := string(r.Answer)
		if r.Answer == probe.Unknown {
			sign = "?"
		}
		fmt.Fprintln(a.out, strings.TrimRight(fmt.Sprintf("  %-4s %-24s %s", sign, r.Name, r.Detail), " "))
		if r.Answer != probe.Yes {
			need := ""
			if r.Needed {
				need = "needed: "
			}
			fmt.Fprintf(a.out, "       %s%s\n       way out: %s\n", need, r.Cost, r.Remedy)
		}
	}
	if lacks > 0 {
		fmt.Fprintf(a.out, "\nNo container can run here: %d of what is needed is missing.\n", lacks)
		return
	}
	fmt.Fprintf(a.out, "\nContainers can run here.\n")
}
