package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// rmCommand is `hull rm`. With --force a container that is not there is told and is no failure.
func (a *app) rmCommand() *cobra.Command {
	var force, volumes bool
	c := &cobra.Command{Use: "rm [OPTIONS] CONTAINER [CONTAINER...]", Aliases: []string{"remove"}, Short: "Remove one or more containers", Args: args(1, -1), DisableFlagsInUseLine: true}
	c.Flags().BoolVarP(&force, "force", "f", false, "Force the removal of a running container (uses SIGKILL)")
	c.Flags().BoolVarP(&volumes, "volumes", "v", false, "Remove anonymous volumes associated with the container")
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			err := client.Remove(ctx, name, force, volumes)
			if force && engine.IsNotFound(err) {
				a.report(err)
				return nil
			}
			if err == nil {
				a.say(name)
			}
			return err
		})
	}
	return c
}
