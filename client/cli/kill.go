package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// killCommand is `hull kill`.
func (a *app) killCommand() *cobra.Command {
	var signal string
	c := &cobra.Command{Use: "kill [OPTIONS] CONTAINER [CONTAINER...]", Short: "Kill one or more running containers", Args: args(1, -1), DisableFlagsInUseLine: true}
	c.Flags().StringVarP(&signal, "signal", "s", "", "Signal to send to the container")
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			err := client.Kill(ctx, name, signal)
			if err == nil {
				a.say(name)
			}
			return err
		})
	}
	return c
}
