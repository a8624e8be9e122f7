package command

import (
	"flag"

	"hull/runc/container"
)

func pause(g *global, fs *flag.FlagSet, args []string) error {
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	return container.Pause(g.root, ids[0])
}
