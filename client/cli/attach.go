package cli

import (
	"context"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages/detach"
)

// attachCommand is `hull attach`: another terminal at a running container.
func (a *app) attachCommand() *cobra.Command {
	var o attachOptions
	var noStdin bool
	c := &cobra.Command{
		Use: "attach [OPTIONS] CONTAINER", Short: "Attach local standard input, output, and error streams to a running container",
		Args: args(1, 1), DisableFlagsInUseLine: true,
	}
	o.defineSession(c.Flags())
	c.Flags().BoolVar(&noStdin, "no-stdin", false, "Do not attach STDIN")
	c.RunE = func(c *cobra.Command, names []string) error {
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		return a.attachTo(c.Context(), client, names[0], o, noStdin)
	}
	return c
}

// attachTo registers the wait first: a container that ends in between has a code all the same.
func (a *app) attachTo(ctx context.Context, c *engine.Client, name string, o attachOptions, noStdin bool) error {
	waiter, err := c.Wait(ctx, name, engine.NotRunning)
	if err != nil {
		return err
	}
	defer waiter.Close()
	d, err := c.Details(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case d.State.Paused:
		return said("You cannot attach to a paused container, unpause it first")
	case d.State.Restarting:
		return said("You cannot attach to a restarting container, wait until it is running")
	case !d.State.Running:
		return said("You cannot attach to a stopped container, start it first")
	}
	if err := a.checkTTY(!noStdin, d.Config.Tty); err != nil {
		return err
	}
	s, err := a.attach(ctx, c, d.ID, engine.AttachOptions{
		Stdin: !noStdin && d.Config.OpenStdin, Stdout: true, Stderr: true, TTY: d.Config.Tty, DetachKeys: o.detachKeys,
	}, o.sigProxy && !d.Config.Tty)
	if err != nil {
		return err
	}
	defer s.close()
	s.catch()
	if d.Config.Tty {
		s.nudge(ctx)
	}
	defer s.follow(ctx)()
	detached, err := s.drain()
	switch {
	case err != nil:
		return err
	case detached:
		return said(detach.Err.Error())
	}
	return a.endWith(waiter)
}
