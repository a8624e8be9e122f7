package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// imageRmCommand is `hull image rm` and `hull rmi`.
func (a *app) imageRmCommand(name string) *cobra.Command {
	var force, noPrune bool
	c := &cobra.Command{Use: name + " [OPTIONS] IMAGE [IMAGE...]", Short: "Remove one or more images", Args: args(1, -1), DisableFlagsInUseLine: true}
	if name == "rm" {
		c.Aliases = []string{"remove"}
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Force removal of the image")
	c.Flags().BoolVar(&noPrune, "no-prune", false, "Do not delete untagged parents")
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			list, err := client.RemoveImage(ctx, name, force, noPrune)
			if force && engine.IsNotFound(err) {
				a.report(err)
				return nil
			}
			for _, d := range list {
				if d.Untagged != "" {
					fmt.Fprintln(a.out, "Untagged:", d.Untagged)
				}
				if d.Deleted != "" {
					fmt.Fprintln(a.out, "Deleted:", d.Deleted)
				}
			}
			return err
		})
	}
	return c
}
