package command

import (
	"flag"
	"fmt"

	"hull/runc/container"
	"hull/stages"
)

// plan prints the table that the container's first process would run: the dry run of create.
func plan(g *global, fs *flag.FlagSet, args []string) error {
	dirs, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	p, err := container.Plan(dirs[0])
	if err != nil {
		return err
	}
	for i, row := range p.Rows {
		step := row.Step.String()
		if row.Step == stages.None {
			step = "-"
		}
		fmt.Fprintf(g.out, "%3d  %-26s %-24s %s\n", i, step, row.Instance, row)
	}
	return nil
}
