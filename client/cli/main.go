package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// An app is one invocation: where it reads and writes, and which daemon it means.
type app struct {
	args []string // the command line, without the program's name
	in   *os.File
	out  io.Writer
	err  io.Writer
	host string // -H; empty for the instance's own socket
	root string // --root; empty for HULL_ROOT or the system's instance
}

// Main runs the command line args (without the program's name) and returns the exit code.
func Main(args []string) int {
	a := &app{args: args, in: os.Stdin, out: os.Stdout, err: os.Stderr}
	root := a.rootCommand()
	root.SetArgs(args)
	return a.report(root.ExecuteContext(context.Background()))
}

// An exit is how a command ends when it is not simply done: the code, and what is still to be said.
type exit struct {
	code int
	err  error // nil: everything has been said
}

func (e *exit) Error() string { return fmt.Sprint(e.err) }

func (e *exit) Unwrap() error { return e.err }

// report prints what is still to be said about err and turns it into the exit code. The daemon's answers are printed as they are, as
// docker does; what this client itself has to say begins with its name.
func (a *app) report(err error) int {
	if err == nil {
		return 0
	}
	code := 1
	var e *exit
	if errors.As(err, &e) {
		if code = e.code; e.err == nil {
			return code
		}
		err = e.err
	}
	var refused *engine.APIError
	var docker said
	if code == 1 && errors.As(err, &refused) || errors.As(err, &docker) {
		fmt.Fprintln(a.err, err)
	} else {
		fmt.Fprintln(a.err, "hull:", err)
	}
	return code
}

// Tree is the whole command tree, for the manual pages.
func Tree() *cobra.Command {
	return (&app{in: os.Stdin, out: os.Stdout, err: os.Stderr}).rootCommand()
}
