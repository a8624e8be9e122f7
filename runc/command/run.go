package command

import (
	"context"
	"errors"
	"flag"

	"hull/runc/confine"
	"hull/runc/container"
	"hull/stages"
)

// run is create, start, wait and delete by one process, which is the container's parent meanwhile: the program's streams are ours, signals to
// us go on to it, and its exit code comes back. With --detach it leaves after start.
//
// The steps are those of the verbs, in their order, so that a crash at any moment leaves what a crash of theirs leaves, and the container
// is in the list as others are. What is saved is what makes a runtime slow: two starts of a program, and reading back what was just written.
func run(g *global, fs *flag.FlagSet, args []string) (err error) {
	o := container.CreateOptions{Root: g.root, Rootless: g.rootless, Warn: g.log.warn}
	detach, keep, noSubreaper := false, false, false
	for _, name := range []string{"detach", "d"} {
		fs.BoolVar(&detach, name, false, "leave the container behind")
	}
	fs.BoolVar(&keep, "keep", false, "do not delete the container at its end")
	fs.BoolVar(&noSubreaper, "no-subreaper", false, "do not become the parent of the container's orphans")
	if err := createOptions(fs, args, &o); err != nil {
		return err
	}
	if err := confine.SealExe(); err != nil {
		return err
	}
	if detach {
		_, err := launch(g, o)
		return err
	}
	if o.ConsoleSocket != "" {
		return invalid("--console-socket", "the terminal is ours without --detach")
	}
	if !noSubreaper {
		if err := subreaper(); err != nil {
			return err
		}
	}
	var c *container.Created
	g.code, err = foreground(func(console func() (int, error)) (pid, pidfd int, err error) {
		o.Console = console
		if c, err = launch(g, o); err != nil {
			return 0, -1, err
		}
		return c.PID, c.PIDFD, nil
	})
	if c == nil {
		return err
	}
	if err != nil {
		c.End()
	}
	if keep {
		return err
	}
	return errors.Join(err, discard(g, c))
}

// launch is create and start. A container that cannot be started is not left behind.
func launch(g *global, o container.CreateOptions) (c *container.Created, err error) {
	err = claimed(g.ctx, stages.RuncCreate, o.ID, func(ctx context.Context) error {
		c, err = container.Create(ctx, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err = claimed(g.ctx, stages.RuncStart, o.ID, c.Start); err != nil {
		c.End()
		return nil, errors.Join(err, discard(g, c))
	}
	return c, nil
}

func discard(g *global, c *container.Created) error {
	return claimed(g.ctx, stages.RuncDelete, c.ID, c.Delete)
}
