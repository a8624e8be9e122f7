package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages"
	"hull/trace/span"
)

// runCommand is `hull run`: docker's order of calls, which is not free. See run.
func (a *app) runCommand() *cobra.Command {
	o := &runOptions{verb: "run"}
	c := &cobra.Command{
		Use:   "run [OPTIONS] IMAGE [COMMAND] [ARG...]",
		Short: "Create and run a new container from an image",
		Args:  args(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			o.image, o.command = args[0], args[1:]
			return a.traced(c.Context(), o, a.run)
		},
		DisableFlagsInUseLine: true,
	}
	o.define(c.Flags())
	o.defineRun(c.Flags())
	return c
}

// run creates a container and starts it; in the foreground it carries its streams and ends with its exit code. The order of the calls:
//
//	create   the container exists, no process does
//	attach   before start, or the first bytes of output could be missed
//	wait     before start, or a program that ends at once could never be waited for
//	start
//	resize   now that there is a terminal; again at each SIGWINCH
//
// Then the output is read to its end before the exit code is believed to be all there is.
func (a *app) run(ctx context.Context, o *runOptions) (err error) {
	body, err := o.payload(ctx, a)
	if err != nil {
		return err
	}
	c, err := a.connect(ctx)
	if err != nil {
		return failed(err)
	}
	made, err := a.create(ctx, c, o, body)
	if err != nil {
		return failed(err)
	}
	id := made.ID
	o.made = id
	asked := false // to start it: from then on the daemon removes what it could not start
	defer func() {
		if err != nil && o.rm && !asked {
			c.Remove(context.WithoutCancel(ctx), id, true, true)
		}
	}()

	var s *session
	stdin, stdout, stderr := o.wanted(o.interactive)
	if !o.detach {
		s, err = a.attach(ctx, c, id, engine.AttachOptions{
			Stdin: stdin, Stdout: stdout, Stderr: stderr, TTY: o.tty, DetachKeys: o.detachKeys,
		}, o.sigProxy)
		if err != nil {
			return failed(err)
		}
		defer s.close()
		s.catch()
		if o.debugger != nil {
			o.debugger.attached.Store(true)
		}
	}
	// The wait is registered for a detached --rm as well: that tells when a failed start has been cleaned up.
	waitCtx, waiting := span.Start(ctx, stages.ClientWait)
	defer waiting.End(&err)
	if err := waiting.Fault(); err != nil {
		return failed(err)
	}
	var waiter *engine.Waiter
	if !o.detach || o.rm {
		condition := engine.NextExit
		if o.rm {
			condition = engine.Removed
		}
		if waiter, err = c.Wait(waitCtx, id, condition); err != nil {
			return failed(err)
		}
		defer waiter.Close()
	}

	startCtx, starting := span.Start(ctx, stages.ClientStart)
	if err = starting.Fault(); err == nil {
		asked = true
		err = c.Start(startCtx, id)
	}
	starting.End(&err)
	if err != nil {
		if o.rm && asked {
			waiter.Result() // the daemon removes what it could not start: be gone only after that
		}
		return failed(err)
	}
	if o.detach || !stdout && !stderr {
		fmt.Fprintln(a.out, id)
	}
	if o.detach {
		return nil
	}
	defer s.follow(ctx)()
	if detached, err := s.drain(); detached || err != nil || !stdout && !stderr {
		return err
	}
	code, err := waiter.Result()
	waiting.End(&err)
	if err != nil {
		return failed(err)
	}
	_, leaving := span.Start(ctx, stages.ClientExit)
	leaving.End(nil)
	if code != 0 {
		return &exit{code: code}
	}
	return nil
}

// failed gives a failure of run docker's exit code: 127 for a program that is not there, 126 for one that cannot be executed, 125 for
// everything else. The daemon's answer has no field for it; docker's client looks for these words in its text, and so the words are part
// of the contract.
func failed(err error) error {
	code := 125
	var refused *engine.APIError
	if errors.As(err, &refused) {
		has := func(words ...string) bool {
			for _, w := range words {
				if strings.Contains(refused.Message, w) {
					return true
				}
			}
			return false
		}
		switch {
		case has("executable file not found", "no such file or directory"):
			code = 127
		case has(syscall.EACCES.Error(), syscall.EISDIR.Error()):
			code = 126
		}
	}
	return &exit{code, err}
}
