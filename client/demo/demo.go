// Package demo shows, on a terminal in front of a class, what happens to a container when the programs that started it die.
//
//	hull demo restart                  kills hulld, then hull-containerd, brings them back, and in the end kills the shim
//	hull demo restart --without shim   the control: a supervisor that is the container's parent itself
//
// It is called by cmd/hull-demo. A show is a list of acts (restart.go, control.go); each act does one thing, then looks at the kernel and at the
// container's log until it sees what it claims. On a terminal the screen is live and space goes on; otherwise each act prints one picture, and
// the input is not read. All it needs it makes in a directory of its own, and it leaves nothing.
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main is `hull-demo ARGS`.
func Main(args []string, in *os.File, out, errout io.Writer) int {
	if len(args) > 0 && args[0] == "supervise" {
		return supervise(args[1:], errout)
	}
	if len(args) == 0 || args[0] != "restart" {
		fmt.Fprintln(errout, "Usage:  hull demo restart [--without shim] [--record FILE] [--replay FILE]")
		return 125
	}
	flags := flag.NewFlagSet("hull demo restart", flag.ContinueOnError)
	flags.SetOutput(errout)
	without := flags.String("without", "", "leave a `stage` out, as the control: shim")
	record := flags.String("record", "", "write what the screen shows to this `file`")
	replay := flags.String("replay", "", "show a recorded `file` instead, with nothing running")
	if err := flags.Parse(args[1:]); err != nil {
		return 125
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := func() error {
		if flags.NArg() > 0 {
			return fmt.Errorf("unexpected argument %q", flags.Arg(0))
		}
		if *without != "" && *without != "shim" {
			return fmt.Errorf("--without %s: only shim can be left out", *without)
		}
		s, err := openScreen(in, out, *record)
		if err != nil {
			return err
		}
		defer s.close()
		switch {
		case *replay != "":
			return s.replay(ctx, *replay)
		case *without == "shim":
			return control(ctx, s)
		}
		return restart(ctx, s)
	}()
	switch {
	case errors.Is(err, errLeft), errors.Is(err, context.Canceled):
		return 0
	case err != nil:
		fmt.Fprintln(errout, "hull demo:", err)
		return 1
	}
	return 0
}
