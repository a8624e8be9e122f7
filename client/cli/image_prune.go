package cli

import (
	"fmt"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"hull/client/engine"
)

// imagePruneCommand is `hull image prune`.
func (a *app) imagePruneCommand() *cobra.Command {
	filters := engine.Filters{}
	var force, all bool
	c := &cobra.Command{Use: "prune [OPTIONS]", Short: "Remove unused images", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().Var(filterValue{&filters}, "filter", `Provide filter values (e.g. "until=<timestamp>")`)
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not prompt for confirmation")
	c.Flags().BoolVarP(&all, "all", "a", false, "Remove all unused images, not just dangling ones")
	c.RunE = func(c *cobra.Command, _ []string) error {
		which := "all dangling images"
		if all {
			which = "all images without at least one container associated to them"
		}
		if !force && !a.confirm("WARNING! This will remove "+which+".\nAre you sure you want to continue?") {
			return nil
		}
		filters["dangling"] = []string{fmt.Sprint(!all)}
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		gone, err := client.PruneImages(c.Context(), filters)
		if err != nil {
			return err
		}
		if len(gone.ImagesDeleted) > 0 {
			fmt.Fprintln(a.out, "Deleted Images:")
			for _, d := range gone.ImagesDeleted {
				if d.Untagged != "" {
					fmt.Fprintln(a.out, "untagged:", d.Untagged)
				} else {
					fmt.Fprintln(a.out, "deleted:", d.Deleted)
				}
			}
			fmt.Fprintln(a.out)
		}
		fmt.Fprintf(a.out, "Total reclaimed space: %s\n", units.HumanSize(float64(gone.SpaceReclaimed)))
		return nil
	}
	return c
}
