package command

import (
	"context"
	"flag"

	"hull/runc/container"
	"hull/stages"
)

func start(g *global, fs *flag.FlagSet, args []string) error {
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return claimed(g.ctx, stages.RuncStart, ids[0], func(ctx context.Context) error {
		return container.Start(ctx, g.root, ids[0], g.log.warn)
	})
}
