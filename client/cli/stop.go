package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// stopCommand is `hull stop`.
func (a *app) stopCommand() *cobra.Command {
	var o stopFlags
	c := &cobra.Command{Use: "stop [OPTIONS] CONTAINER [CONTAINER...]", Short: "Stop one or more running containers", Args: args(1, -1), DisableFlagsInUseLine: true}
	o.define(c.Flags())
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			err := client.Stop(ctx, name, o.options(c.Flags()))
			if err == nil {
				a.say(name)
			}
			return err
		})
	}
	return c
}
