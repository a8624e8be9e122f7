package command

import (
	"encoding/json"
	"flag"
	"time"

	"hull/runc/container"
)

// events prints what a container uses, one JSON document a line: at each interval until its end, or once.
func events(g *global, fs *flag.FlagSet, args []string) error {
	interval := fs.Duration("interval", 5*time.Second, "time between two lines")
	once := fs.Bool("stats", false, "print one line")
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	if *interval <= 0 {
		return invalid("--interval", "duration interval must be greater than 0")
	}
	out := json.NewEncoder(g.out)
	if *once {
		e, err := container.Stats(g.root, ids[0])
		if err != nil {
			return err
		}
		return out.Encode(e)
	}
	return container.Events(g.root, ids[0], *interval, func(e container.Event) error { return out.Encode(e) })
}
