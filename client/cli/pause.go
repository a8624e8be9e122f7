package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// pauseCommand is `hull pause`.
func (a *app) pauseCommand() *cobra.Command {
	c := &cobra.Command{Use: "pause CONTAINER [CONTAINER...]", Short: "Pause all processes within one or more containers", Args: args(1, -1)}
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			err := client.Pause(ctx, name)
			if err == nil {
				a.say(name)
			}
			return err
		})
	}
	return c
}

// unpauseCommand is `hull unpause`.
func (a *app) unpauseCommand() *cobra.Command {
	c := &cobra.Command{Use: "unpause CONTAINER [CONTAINER...]", Short: "Unpause all processes within one or more containers", Args: args(1, -1)}
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			err := client.Unpause(ctx, name)
			if err == nil {
				a.say(name)
			}
			return err
		})
	}
	return c
}
