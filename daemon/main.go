// Package daemon is hulld: it wires the parts of this tier together and runs them. It is called by cmd/hulld.
package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"hull/daemon/children"
	"hull/daemon/containerd"
	"hull/daemon/engine"
	"hull/daemon/hulltrace"
	"hull/daemon/network"
	"hull/daemon/server"
	"hull/daemon/store"
	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span"
	"hull/trace/span/otel"

	"github.com/containerd/log"
	"golang.org/x/sys/unix"
)

// Version is hull's own.
const Version = "0.1.0"

// startTimeout is how long a containerd may take to answer for the first time.
const startTimeout = 30 * time.Second

type options struct {
	root, containerd, runtime, trace, otlp, noKernel string
	debug                                            bool
}

// Main runs hulld until a signal ends it, and returns its exit code.
func Main(args []string, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("hulld", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.root, "root", "", "directory of the instance (default $HULL_ROOT, or /run/hull and /var/lib/hull)")
	flags.StringVar(&o.containerd, "containerd", "", "socket of a running containerd, instead of a hull-containerd of our own")
	flags.StringVar(&o.runtime, "runtime", "io.containerd.hull.v2", "name or absolute path of the shim that containerd starts")
	flags.StringVar(&o.trace, "trace", "never", "always: every run is traced, a docker client's as well; never: only those that ask for it")
	flags.StringVar(&o.otlp, "otlp", "", "push finished traces to this OTLP endpoint: http://, https:// or grpc://HOST:PORT")
	flags.StringVar(&o.noKernel, "no-kernel", "", "start hull-trace without the kernel's side, for this `reason`")
	flags.BoolVar(&o.debug, "debug", false, "log every request, and record the spans of the libraries for HTTP and gRPC as well")
	tcp := flags.String("H", "", "refused: hulld listens on a UNIX socket only")
	if err := flags.Parse(args); err != nil {
		return 125
	}
	err := error(nil)
	switch {
	case *tcp != "":
		err = fmt.Errorf("-H %s: hulld offers the UNIX socket of its --root and no other: TCP without TLS would give root to the network", *tcp)
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.trace != "never" && o.trace != "always":
		err = fmt.Errorf("--trace %s: it is never or always", o.trace)
	}
	if err == nil {
		level := slog.LevelInfo
		if o.debug {
			level = slog.LevelDebug
		}
		// containerd's own packages, the registries' client among them, log through theirs, and unpack in this process, never by a program
		// that a PATH leads to (CVE-2026-41567).
		err = errors.Join(
			log.SetFormat(log.JSONFormat), log.SetLevel("error"), os.Setenv("CONTAINERD_DISABLE_PIGZ", "1"), os.Setenv("CONTAINERD_DISABLE_IGZIP", "1"),
		)
		slog.SetDefault(slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level})))
		if err == nil {
			err = run(o)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "hulld:", err)
		return stages.KindOf(err).Exit()
	}
	return 0
}

func run(o options) error {
	inst, err := instance.At(o.root)
	if err != nil {
		return err
	}
	for _, dir := range []string{inst.Run, inst.Lib} { // 0700: nobody else walks through to what is below
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	lock, err := instance.Hold(inst.PIDFile("hulld"), inst.APISocket())
	if err != nil {
		return err
	}
	defer lock.Release()
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()

	logger, err := children.Beside("hull-shim")
	if err != nil {
		return err
	}
	address, witness, err := companions(ctx, inst, o)
	if err != nil {
		return err
	}
	spans := span.New("hulld", inst.SpanSocket(), true)
	defer spans.Close()
	tracing := otel.Join(spans, o.debug)
	defer tracing.Close(context.Background())
	ctd, err := containerd.Dial(address, tracing)
	if err != nil {
		return err
	}
	defer ctd.Close()
	ready, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	version, err := ctd.Ready(ready)
	if err != nil {
		return fmt.Errorf("%w (its log: %s)", err, inst.LogFile("hull-containerd"))
	}
	tracer := hulltrace.New(inst, o.trace == "always")
	if witness {
		// A run that wants to be traced, or a hull down, right after hull up must find it.
		if err := tracer.Ready(ready); err != nil {
			slog.Warn("runs cannot be traced", "error", err.Error())
		}
	}
	st, err := store.Open(inst)
	if err != nil {
		return err
	}
	bridge, err := network.New(inst)
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	defer bridge.Close() // the network goes with the last container that is in it
	rt := engine.Runtime{Name: o.runtime, Logger: logger, Init: filepath.Join(filepath.Dir(logger), "hull-init")}
	e := engine.New(inst, ctd, st, bridge, rt, spans, tracer)
	if err := restore(ctx, e); err != nil {
		return err
	}
	l, err := listen(inst)
	if err != nil {
		return err
	}
	defer os.Remove(inst.APISocket())
	go func() { <-ctx.Done(); l.Close() }()
	slog.Info("hulld answers", "socket", inst.APISocket(), "containerd", address, "runtime", o.runtime)
	err = server.New(inst, e, server.Version{Hull: Version, Containerd: version}, o.debug).Serve(l, tracing)
	if errors.Is(err, net.ErrClosed) {
		return nil // by the signal; containers and companions live on
	}
	return err
}

// companions starts or adopts hull-containerd and hull-trace, and returns the address of the containerd that is to be used. Nothing is
// started before both have been looked for.
func companions(ctx context.Context, inst instance.Instance, o options) (address string, witness bool, err error) {
	var all []*children.Child
	if address = o.containerd; address == "" {
		args := []string{"--root", inst.Root}
		if o.debug {
			args = append(args, "--debug")
		}
		supervisor, err := children.New(inst, "hull-containerd", args...)
		if err != nil {
			return "", false, err
		}
		all, address = append(all, supervisor), inst.ContainerdSocket()
	}
	args := []string{"--root", inst.Root}
	if o.otlp != "" {
		args = append(args, "--otlp", o.otlp)
	}
	if o.noKernel != "" {
		args = append(args, "--no-kernel", o.noKernel)
	}
	if o.debug {
		args = append(args, "--debug")
	}
	tracer, err := children.New(inst, "hull-trace", args...)
	switch {
	case err != nil:
		slog.Warn("runs cannot be traced", "error", err.Error()) // hull-trace is a witness, not a link of the chain
	case o.noKernel != "" && tracer.Alive():
		return "", false, &stages.Error{
			Kind: stages.Conflict, Thing: "--no-kernel", Err: errors.New("hull-trace runs already"), Hint: "hull down, then hull up again",
		}
	default:
		all, witness = append(all, tracer), true
	}
	for _, c := range all {
		began := make(chan error, 1)
		go c.Keep(ctx, began)
		if err := <-began; err != nil {
			return "", false, err
		}
	}
	return address, witness, nil
}

// restore finds the containers of an earlier hulld, and returns once their state is known and exits are listened for.
func restore(ctx context.Context, e *engine.Engine) error {
	if err := e.Restore(); err != nil {
		return err
	}
	known := make(chan struct{}, 1)
	go e.Run(ctx, func() {
		select {
		case known <- struct{}{}:
		default:
		}
	})
	select {
	case <-known:
		e.Sweep(ctx)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// listen makes the API socket: for root and the group hull, if there is one; else for root alone.
func listen(inst instance.Instance) (net.Listener, error) {
	group, err := user.LookupGroup("hull")
	if err != nil {
		return instance.Listen("unix", inst.APISocket(), 0o600)
	}
	l, err := instance.Listen("unix", inst.APISocket(), 0o600)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(group.Gid)
	if err == nil {
		// The group first, then its rights: there is no moment in which another group has them. RUN must let the group through.
		err = errors.Join(os.Chown(inst.APISocket(), 0, gid), os.Chmod(inst.APISocket(), 0o660), os.Chown(inst.Run, 0, gid), os.Chmod(inst.Run, 0o710))
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
