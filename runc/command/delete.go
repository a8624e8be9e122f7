package command

import (
	"flag"

	"hull/runc/container"
	"hull/stages"
	"hull/trace/span"
)

func remove(g *global, fs *flag.FlagSet, args []string) (err error) {
	force := fs.Bool("force", false, "end it first if it runs; no error if it does not exist")
	fs.BoolVar(force, "f", false, "the same")
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	ctx, sp := span.Start(g.ctx, stages.RuncDelete)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	sp.Set(stages.AttrContainer, ids[0])
	return container.Delete(ctx, g.root, ids[0], *force, g.log.warn)
}
