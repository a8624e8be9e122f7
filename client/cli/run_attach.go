package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"hull/client/engine"
	"hull/stages"
	"hull/trace/span"
)

// attachOptions are the flags of run, create and start that are about streams.
type attachOptions struct {
	streams    []string // -a: stdin, stdout, stderr; none for the usual ones
	sigProxy   bool
	detachKeys string
}

// define defines the flag of run and create.
func (o *attachOptions) define(f *pflag.FlagSet) {
	f.VarP(listValue{&o.streams, checkStream}, "attach", "a", "Attach to STDIN, STDOUT or STDERR")
}

// defineSession defines those that every attached command has.
func (o *attachOptions) defineSession(f *pflag.FlagSet) {
	f.BoolVar(&o.sigProxy, "sig-proxy", true, "Proxy received signals to the process")
	f.Var(detachKeys{&o.detachKeys}, "detach-keys", "Override the key sequence for detaching a container")
}

func checkStream(s string) (string, error) {
	switch s = strings.ToLower(s); s {
	case "stdin", "stdout", "stderr":
		return s, nil
	}
	return "", errors.New("valid streams are STDIN, STDOUT and STDERR")
}

// wanted is which streams a command attaches to: those of -a, or the output and, with -i, the input.
func (o *attachOptions) wanted(interactive bool) (stdin, stdout, stderr bool) {
	for _, s := range o.streams {
		stdin, stdout, stderr = stdin || s == "stdin", stdout || s == "stdout", stderr || s == "stderr"
	}
	if len(o.streams) == 0 {
		return interactive, true, true
	}
	return stdin, stdout, stderr
}

// checkTTY refuses to join a terminal of a container with an input that is none.
func (a *app) checkTTY(stdin, tty bool) error {
	if stdin && tty && !term.IsTerminal(int(a.in.Fd())) {
		return &exit{1, said("the input device is not a TTY")}
	}
	return nil
}

// attach opens the stream to a container and starts to carry bytes both ways. Without sig-proxy, or with a terminal that turns keys into signals
// itself, docker's client still passes on what kill(1) sends it, and so does ours.
func (a *app) attach(ctx context.Context, c *engine.Client, id string, o engine.AttachOptions, sigProxy bool) (s *session, err error) {
	ctx, sp := span.Start(ctx, stages.ClientAttach)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return nil, err
	}
	stream, err := c.Attach(ctx, id, o)
	if err != nil {
		return nil, err
	}
	return a.newSession(stream, attached{c, id}, sessionOptions{stdin: o.Stdin, tty: o.TTY, detachKeys: o.DetachKeys, sigProxy: sigProxy})
}

// attached is a container as a session's target.
type attached struct {
	client *engine.Client
	id     string
}

func (t attached) resize(ctx context.Context, rows, cols uint) error {
	return t.client.Resize(ctx, t.id, rows, cols)
}

func (t attached) signal(ctx context.Context, name string) error {
	return t.client.Kill(ctx, t.id, name)
}

// conflicting are options that cannot stand together.
func conflicting(one, other string) error {
	return fmt.Errorf("conflicting options: cannot specify both %s and %s", one, other)
}
