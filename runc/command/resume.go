package command

import (
	"flag"

	"hull/runc/container"
)

func resume(g *global, fs *flag.FlagSet, args []string) error {
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return container.Resume(g.root, ids[0])
}
