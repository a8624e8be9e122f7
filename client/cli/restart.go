package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// stopFlags are the flags of stop and restart.
type stopFlags struct {
	signal  string
	seconds int
}

func (o *stopFlags) define(f *pflag.FlagSet) {
	f.StringVarP(&o.signal, "signal", "s", "", "Signal to send to the container")
	f.IntVarP(&o.seconds, "timeout", "t", 0, "Seconds to wait before killing the container")
	f.IntVar(&o.seconds, "time", 0, "") // docker's name for it before 28
	f.Lookup("time").Hidden = true
}

func (o *stopFlags) options(f *pflag.FlagSet) engine.StopOptions {
	options := engine.StopOptions{Signal: o.signal}
	if f.Changed("timeout") || f.Changed("time") {
		options.Seconds = &o.seconds
	}
	return options
}

// restartCommand is `hull restart`.
func (a *app) restartCommand() *cobra.Command {
	var o stopFlags
	c := &cobra.Command{Use: "restart [OPTIONS] CONTAINER [CONTAINER...]", Short: "Restart one or more containers", Args: args(1, -1), DisableFlagsInUseLine: true}
	o.define(c.Flags())
	c.RunE = func(c *cobra.Command, names []string) error {
		return a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
			err := client.Restart(ctx, name, o.options(c.Flags()))
			if err == nil {
				a.say(name)
			}
			return err
		})
	}
	return c
}
