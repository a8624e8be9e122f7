package command

import (
	"context"
	"flag"

	"hull/runc/container"
	"hull/stages"
)

func remove(g *global, fs *flag.FlagSet, args []string) error {
	force := fs.Bool("force", false, "end it first if it runs; no error if it does not exist")
	fs.BoolVar(force, "f", false, "the same")
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return claimed(g.ctx, stages.RuncDelete, ids[0], func(ctx context.Context) error {
		return container.Delete(ctx, g.root, ids[0], *force, g.log.warn)
	})
}
