package command

import (
	"context"
	"errors"
	"flag"

	"hull/runc/confine"
	"hull/runc/container"
	"hull/stages"
	"hull/trace/span"
)

// create makes a container and leaves: its first process, an orphan then, waits for start.
func create(g *global, fs *flag.FlagSet, args []string) error {
	o := container.CreateOptions{Root: g.root, Rootless: g.rootless, Warn: g.log.warn}
	if err := createOptions(fs, args, &o); err != nil {
		return err
	}
	if err := confine.SealExe(); err != nil {
		return err
	}
	return claimed(g.ctx, stages.RuncCreate, o.ID, func(ctx context.Context) error {
		if _, err := container.Create(ctx, o); err != nil {
			return err
		}
		_, exit := span.Start(ctx, stages.RuncCreateExit) // all that is left to do is to leave
		exit.End(nil)
		return nil
	})
}

// claimed does one of a verb's steps as the claim that it is.
func claimed(ctx context.Context, step stages.ID, id string, do func(context.Context) error) (err error) {
	ctx, sp := span.Start(ctx, step)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	sp.Set(stages.AttrContainer, id)
	return do(ctx)
}

// createOptions reads the flags that create and run have in common, and the id.
func createOptions(fs *flag.FlagSet, args []string, o *container.CreateOptions) error {
	for _, name := range []string{"bundle", "b"} {
		fs.StringVar(&o.Bundle, name, ".", "directory with config.json")
	}
	fs.StringVar(&o.PIDFile, "pid-file", "", "file to write the first process's pid to")
	fs.StringVar(&o.PIDFDSocket, "pidfd-socket", "", "UNIX socket that receives a pidfd of the first process")
	fs.StringVar(&o.ConsoleSocket, "console-socket", "", "UNIX socket that receives the terminal's master")
	noPivot := fs.Bool("no-pivot", false, "refused: the root is always changed by pivot_root(2)")
	noKeyring := fs.Bool("no-new-keyring", false, "keep the caller's session keyring")
	fs.IntVar(&o.PreserveFDs, "preserve-fds", 0, "descriptors after 2 that the program keeps")
	ids, err := positional(fs, args, 1, 1)
	if err != nil {
		return err
	}
	o.ID, o.NewKeyring = ids[0], !*noKeyring
	if *noPivot {
		return &stages.Error{Kind: stages.Unsupported, Thing: "--no-pivot", Err: errors.New("not offered"), Hint: "the root file system must not be the machine's initial ramfs"}
	}
	if o.PreserveFDs < 0 || o.PreserveFDs > 1000 {
		return invalid("--preserve-fds", "not between 0 and 1000")
	}
	return nil
}
