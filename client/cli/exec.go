package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hull/client/engine"
	"hull/stages"
	"hull/stages/detach"
	"hull/trace/span"
)

// execOptions are the flags of exec, and the words after them.
type execOptions struct {
	detach, interactive, tty, privileged bool
	detachKeys, user, workdir            string
	env, envFiles                        []string
	traceOptions

	container string
	command   []string
}

// execCommand is `hull exec`.
func (a *app) execCommand() *cobra.Command {
	o := &execOptions{}
	c := &cobra.Command{
		Use: "exec [OPTIONS] CONTAINER COMMAND [ARG...]", Short: "Execute a command in a running container",
		Args: args(2, -1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			o.container, o.command = args[0], args[1:]
			return a.traced(c.Context(), &runOptions{traceOptions: o.traceOptions}, func(ctx context.Context, _ *runOptions) error { return a.exec(ctx, o) })
		},
	}
	o.define(c.Flags())
	return c
}

func (o *execOptions) define(f *pflag.FlagSet) {
	f.SetInterspersed(false) // what stands after the container is the command's
	f.BoolVarP(&o.detach, "detach", "d", false, "Detached mode: run command in the background")
	f.Var(detachKeys{&o.detachKeys}, "detach-keys", "Override the key sequence for detaching a container")
	f.VarP(listValue{&o.env, checkEnv}, "env", "e", "Set environment variables")
	f.Var(listValue{&o.envFiles, nil}, "env-file", "Read in a file of environment variables")
	f.BoolVarP(&o.interactive, "interactive", "i", false, "Keep STDIN open even if not attached")
	f.BoolVar(&o.privileged, "privileged", false, "Give extended privileges to the command")
	f.BoolVarP(&o.tty, "tty", "t", false, "Allocate a pseudo-TTY")
	f.StringVarP(&o.user, "user", "u", "", "Username or UID (format: \"<name|uid>[:<group|gid>]\")")
	f.StringVarP(&o.workdir, "workdir", "w", "", "Working directory inside the container")
	o.defineRun(f) // hull's own: --trace
}

// exec runs a program in a container. The order of the calls is docker's: create and start are two requests, and the start is the
// stream. The exit code is asked for when the output has ended.
func (a *app) exec(ctx context.Context, o *execOptions) error {
	env, err := readPairs(o.envFiles, os.LookupEnv)
	if err != nil {
		return err
	}
	body := engine.ExecRequest{
		Tty: o.tty, Env: append(env, o.env...), Cmd: o.command, Privileged: o.privileged, User: o.user, WorkingDir: o.workdir, DetachKeys: o.detachKeys,
	}
	if !o.detach {
		body.AttachStdin, body.AttachStdout, body.AttachStderr = o.interactive, true, true
		if err := a.checkTTY(o.interactive, o.tty); err != nil {
			return err
		}
	}
	if rows, cols, ok := a.windowSize(); ok && o.tty {
		body.ConsoleSize = &[2]uint{rows, cols} // the program finds it at its first instruction
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	id, err := a.createExec(ctx, c, o.container, body)
	if err != nil {
		return err
	}
	if o.detach {
		return c.DetachExec(ctx, id, o.tty, body.ConsoleSize)
	}
	s, err := a.startExec(ctx, c, id, o, body.ConsoleSize)
	if err != nil {
		return err
	}
	defer s.close()
	defer s.follow(ctx)()
	detached, err := s.drain()
	switch {
	case detached:
		return &exit{1, said(detach.Err.Error())}
	case err != nil:
		return err
	}
	state, err := c.InspectExec(ctx, id)
	switch {
	case err != nil:
		return err
	case state.ExitCode == nil:
		return errors.New("the exit code is not known")
	case *state.ExitCode != 0:
		return &exit{code: *state.ExitCode}
	}
	return nil
}

func (a *app) createExec(ctx context.Context, c *engine.Client, container string, body engine.ExecRequest) (id string, err error) {
	ctx, sp := span.Start(ctx, stages.ClientExecCreate)
	defer sp.End(&err)
	return c.CreateExec(ctx, container, body)
}

func (a *app) startExec(ctx context.Context, c *engine.Client, id string, o *execOptions, size *[2]uint) (s *session, err error) {
	ctx, sp := span.Start(ctx, stages.ClientExecStart)
	defer sp.End(&err)
	stream, err := c.StartExec(ctx, id, o.tty, size)
	if err != nil {
		return nil, err
	}
	s, err = a.newSession(stream, executed{c, id}, sessionOptions{stdin: o.interactive, tty: o.tty, detachKeys: o.detachKeys})
	if err == nil {
		s.catch()
	}
	return s, err
}

// executed is a program that was executed in a container, as a session's target.
type executed struct {
	client *engine.Client
	id     string
}

func (t executed) resize(ctx context.Context, rows, cols uint) error {
	return t.client.ResizeExec(ctx, t.id, rows, cols)
}

// signal: there is no request for it. Signals are for this process.
func (t executed) signal(context.Context, string) error { return nil }
