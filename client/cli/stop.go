package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// stopCommand is `hull stop`.
func (a *app) stopCommand() *cobra.Command {
	var seconds int
	c := &cobra.Command{Use: "stop [OPTIONS] CONTAINER [CONTAINER...]", Short: "Stop one or more running containers", Args: args(1, -1), DisableFlagsInUseLine: true}
	c.Flags().IntVarP(&seconds, "timeout", "t", 0, "Seconds to wait before killing the container")
	c.Flags().IntVar(&seconds, "time", 0, "") // docker's name for it before 28
	c.Flags().Lookup("time").Hidden = true
	c.RunE = func(c *cobra.Command, names []string) error {
		var wait *int // nil: the container's own, or the daemon's
		if c.Flags().Changed("timeout") || c.Flags().Changed("time") {
			wait = &seconds
		}
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			err := client.Stop(ctx, name, wait)
			if err == nil {
				a.say(name)
			}
			return err
		})
	}
	return c
}
