package cli

import (
	"github.com/spf13/pflag"

	"hull/client/engine"
)

// streamOptions are run's flags about the three streams and the terminal.
type streamOptions struct {
	interactive, tty, detach bool
	attachOptions
	client *app // whose streams they are
}

func (o *streamOptions) define(f *pflag.FlagSet) {
	f.BoolVarP(&o.interactive, "interactive", "i", false, "Keep STDIN open even if not attached")
	f.BoolVarP(&o.tty, "tty", "t", false, "Allocate a pseudo-TTY")
	o.attachOptions.define(f)
}

// defineRun defines what only run has: create attaches to nothing.
func (o *streamOptions) defineRun(f *pflag.FlagSet) {
	f.BoolVarP(&o.detach, "detach", "d", false, "Run container in background and print container ID")
	o.defineSession(f)
}

func (o *streamOptions) apply(body *engine.CreateRequest) error {
	stdin, stdout, stderr := o.wanted(o.interactive)
	body.Tty, body.OpenStdin = o.tty, o.interactive
	switch {
	case o.detach && len(o.streams) > 0:
		return conflicting("--attach", "--detach")
	case !o.detach:
		if err := o.client.checkTTY(stdin, o.tty); err != nil {
			return err
		}
		body.AttachStdin, body.AttachStdout, body.AttachStderr = stdin, stdout, stderr
		body.StdinOnce = o.interactive && stdin
	}
	if o.tty {
		if rows, cols, ok := o.client.windowSize(); ok {
			body.HostConfig.ConsoleSize = [2]uint{rows, cols}
		}
	}
	return nil
}
