package command

import (
	"encoding/json"
	"flag"

	"hull/runc/container"
)

func state(g *global, fs *flag.FlagSet, args []string) error {
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	s, err := container.Find(g.root, ids[0])
	if err != nil {
		return err
	}
	enc := json.NewEncoder(g.out)
	enc.SetIndent("", "  ")
	return enc.Encode(s.View())
}
