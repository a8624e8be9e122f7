package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// startOptions are the flags of start.
type startOptions struct {
	attach, interactive bool
	streams             attachOptions
}

// startCommand is `hull start`: several containers in the background, or one with its streams.
func (a *app) startCommand() *cobra.Command {
	o := startOptions{}
	c := &cobra.Command{Use: "start [OPTIONS] CONTAINER [CONTAINER...]", Short: "Start one or more stopped containers", Args: args(1, -1), DisableFlagsInUseLine: true}
	c.Flags().BoolVarP(&o.attach, "attach", "a", false, "Attach STDOUT/STDERR and forward signals")
	c.Flags().BoolVarP(&o.interactive, "interactive", "i", false, "Attach container's STDIN")
	c.Flags().Var(detachKeys{&o.streams.detachKeys}, "detach-keys", "Override the key sequence for detaching a container")
	c.RunE = func(c *cobra.Command, names []string) error {
		if !o.attach && !o.interactive {
			return a.startAll(c, names)
		}
		if len(names) > 1 {
			return said("you cannot start and attach multiple containers at once")
		}
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		return a.startAttached(c.Context(), client, names[0], o)
	}
	return c
}

// startAll starts what it can, and in the end says what it could not.
func (a *app) startAll(c *cobra.Command, names []string) error {
	var failed []string
	err := a.each(c, names, func(ctx context.Context, client *engine.Client, name string) error {
		err := client.Start(ctx, name)
		if err != nil {
			failed = append(failed, name)
			return err
		}
		a.say(name)
		return nil
	})
	if len(failed) > 0 {
		return saidf("Error: failed to start containers: %s", strings.Join(failed, ", "))
	}
	return err
}

// startAttached keeps the order of run: attach and wait come before the start, so that nothing is missed.
func (a *app) startAttached(ctx context.Context, c *engine.Client, name string, o startOptions) error {
	d, err := c.Details(ctx, name)
	if err != nil {
		return err
	}
	s, err := a.attach(ctx, c, d.ID, engine.AttachOptions{
		Stdin: o.interactive && d.Config.OpenStdin, Stdout: true, Stderr: true, TTY: d.Config.Tty, DetachKeys: o.streams.detachKeys,
	}, !d.Config.Tty)
	if err != nil {
		return err
	}
	defer s.close()
	s.catch()
	condition := engine.NextExit
	if d.HostConfig.AutoRemove {
		condition = engine.Removed
	}
	waiter, err := c.Wait(ctx, d.ID, condition)
	if err != nil {
		return err
	}
	defer waiter.Close()
	if err := c.Start(ctx, d.ID); err != nil {
		if d.HostConfig.AutoRemove {
			waiter.Result()
		}
		return err
	}
	defer s.follow(ctx)()
	if detached, err := s.drain(); detached || err != nil {
		return err
	}
	return a.endWith(waiter)
}

// endWith ends the client as the container ended.
func (a *app) endWith(w *engine.Waiter) error {
	code, err := w.Result()
	if err == nil && code != 0 {
		err = &exit{code: code}
	}
	return err
}
