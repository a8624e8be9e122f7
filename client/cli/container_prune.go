package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"hull/client/engine"
)

// containerPruneCommand is `hull container prune`.
func (a *app) containerPruneCommand() *cobra.Command {
	var filters engine.Filters
	var force bool
	c := &cobra.Command{Use: "prune [OPTIONS]", Short: "Remove all stopped containers", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().Var(filterValue{&filters}, "filter", `Provide filter values (e.g. "until=<timestamp>")`)
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not prompt for confirmation")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !force && !a.confirm("WARNING! This will remove all stopped containers.\nAre you sure you want to continue?") {
			return nil
		}
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		gone, err := client.PruneContainers(c.Context(), filters)
		if err != nil {
			return err
		}
		if len(gone.ContainersDeleted) > 0 {
			fmt.Fprintf(a.out, "Deleted Containers:\n%s\n\n", strings.Join(gone.ContainersDeleted, "\n"))
		}
		fmt.Fprintf(a.out, "Total reclaimed space: %s\n", units.HumanSize(float64(gone.SpaceReclaimed)))
		return nil
	}
	return c
}

// confirm asks the user; everything but y and yes is no, and so is the end of the input.
func (a *app) confirm(question string) bool {
	fmt.Fprint(a.out, question, " [y/N] ")
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
