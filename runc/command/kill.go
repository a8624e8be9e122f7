package command

import (
	"context"
	"flag"
	"strconv"
	"strings"

	"hull/runc/container"
	"hull/stages"

	"golang.org/x/sys/unix"
)

func kill(g *global, fs *flag.FlagSet, args []string) error {
	all := fs.Bool("all", false, "signal every process of the container")
	fs.BoolVar(all, "a", false, "the same")
	rest, err := positional(fs, args, 1, 2)
	if err != nil {
		return err
	}
	sig := unix.SIGTERM
	if len(rest) == 2 {
		if sig, err = parseSignal(rest[1]); err != nil {
			return err
		}
	}
	return claimed(g.ctx, stages.RuncKill, rest[0], func(context.Context) error {
		return container.Kill(g.root, rest[0], sig, *all)
	})
}

// parseSignal reads a number, or a name with or without SIG.
func parseSignal(s string) (unix.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > 64 {
			return 0, invalid("kill", "signal "+s+" is not between 1 and 64")
		}
		return unix.Signal(n), nil
	}
	name := strings.ToUpper(s)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if sig := unix.SignalNum(name); sig != 0 {
		return sig, nil
	}
	return 0, invalid("kill", "unknown signal "+strconv.Quote(s))
}
