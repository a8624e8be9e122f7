package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// waitCommand is `hull wait`: it prints the exit codes, and itself ends with 0.
func (a *app) waitCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "wait CONTAINER [CONTAINER...]", Short: "Block until one or more containers stop, then print their exit codes",
		Args: args(1, -1), DisableFlagsInUseLine: true,
	}
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			w, err := client.Wait(ctx, name, engine.NotRunning)
			if err != nil {
				return err
			}
			code, err := w.Result()
			if err == nil {
				fmt.Fprintln(a.out, code)
			}
			return err
		})
	}
	return c
}
