package command

import (
	"flag"

	"hull/runc/container"
	"hull/stages"
	"hull/trace/span"
)

func start(g *global, fs *flag.FlagSet, args []string) (err error) {
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	ctx, sp := span.Start(g.ctx, stages.RuncStart)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	sp.Set(stages.AttrContainer, ids[0])
	return container.Start(ctx, g.root, ids[0], g.log.warn)
}
