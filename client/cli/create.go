package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages"
	"hull/trace/span"
)

// createCommand is `hull create`: the first half of run. There is a container then, and no process.
func (a *app) createCommand() *cobra.Command {
	o := &runOptions{verb: "create"}
	c := &cobra.Command{
		Use:   "create [OPTIONS] IMAGE [COMMAND] [ARG...]",
		Short: "Create a new container",
		Args:  args(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			o.image, o.command = args[0], args[1:]
			ctx := c.Context()
			body, err := o.payload(ctx, a)
			if err != nil {
				return err
			}
			client, err := a.connect(ctx)
			if err != nil {
				return err
			}
			made, err := a.create(ctx, client, o, body)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, made.ID)
			return nil
		},
		DisableFlagsInUseLine: true,
	}
	o.define(c.Flags())
	return c
}

// create asks for the container, and for its image where that is to be pulled.
func (a *app) create(ctx context.Context, c *engine.Client, o *runOptions, body engine.CreateRequest) (made engine.Created, err error) {
	ctx, sp := span.Start(ctx, stages.ClientCreate)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return made, err
	}
	cid, err := newCIDFile(o.cidfile)
	if err != nil {
		return made, err
	}
	defer cid.close()
	if o.pull == pullAlways {
		if err := a.pullImage(ctx, c, o); err != nil {
			return made, err
		}
	}
	made, err = c.Create(ctx, o.name, o.platform, body)
	if o.pull != pullNever && engine.IsNotFound(err) && strings.Contains(strings.ToLower(err.Error()), "no such image") {
		if !o.quiet {
			fmt.Fprintf(a.err, "Unable to find image '%s' locally\n", tagged(o.image))
		}
		if pullErr := a.pullImage(ctx, c, o); pullErr != nil {
			return made, pullErr
		}
		made, err = c.Create(ctx, o.name, o.platform, body)
	}
	if err != nil {
		return made, err
	}
	for _, w := range made.Warnings {
		fmt.Fprintln(a.err, "WARNING:", w)
	}
	sp.Set(stages.AttrContainer, made.ID)
	return made, cid.write(made.ID)
}

// tagged is an image's name with its tag, which is latest where none is given.
func tagged(name string) string {
	if strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") || strings.Contains(name, "@") {
		return name
	}
	return name + ":latest"
}
