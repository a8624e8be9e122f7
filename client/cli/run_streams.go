package cli

import (
	"errors"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"hull/client/engine"
)

// streamOptions are run's flags about the three streams and the terminal.
type streamOptions struct {
	interactive, tty, detach bool
	terminal                 *os.File // the client's standard input
}

func (o *streamOptions) define(f *pflag.FlagSet) {
	f.BoolVarP(&o.interactive, "interactive", "i", false, "Keep STDIN open even if not attached")
	f.BoolVarP(&o.tty, "tty", "t", false, "Allocate a pseudo-TTY")
}

// defineRun defines what only run has: create attaches to nothing.
func (o *streamOptions) defineRun(f *pflag.FlagSet) {
	f.BoolVarP(&o.detach, "detach", "d", false, "Run container in background and print container ID")
}

func (o *streamOptions) apply(body *engine.CreateRequest) error {
	if o.interactive && o.tty && !o.detach && !term.IsTerminal(int(o.terminal.Fd())) {
		return &exit{1, errors.New("the input device is not a TTY")}
	}
	body.Tty, body.OpenStdin = o.tty, o.interactive
	if !o.detach {
		body.AttachStdin, body.AttachStdout, body.AttachStderr = o.interactive, true, true
		body.StdinOnce = o.interactive
	}
	if o.tty {
		if cols, rows, err := term.GetSize(int(o.terminal.Fd())); err == nil {
			body.HostConfig.ConsoleSize = [2]uint{uint(rows), uint(cols)}
		}
	}
	return nil
}
