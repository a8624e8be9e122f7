package collect

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"

	"hull/stages/instance"
	"hull/trace/bpf"
	"hull/trace/gate"

	"golang.org/x/sys/unix"
)

// Main is hull-trace: it serves one instance until SIGTERM or SIGINT, and returns the exit code.
func Main(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("hull-trace", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", "", "the instance's root directory (default: the system's, or $"+instance.EnvRoot+")")
	otlp := flags.String("otlp", "", "push finished traces to this OTLP endpoint: http://, https:// or grpc://HOST:PORT")
	noKernel := flags.String("no-kernel", "", "go on without the kernel's side, for this `reason` (for tests and demonstrations)")
	debug := flags.Bool("debug", false, "allow faults at the gates of a run")
	if err := flags.Parse(args); err != nil {
		return 125
	}
	if flags.NArg() != 0 {
		fmt.Fprintf(stderr, "hull-trace: unexpected argument %q\n", flags.Arg(0))
		return 125
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(stderr, nil)))
	if err := serve(*root, *otlp, *noKernel, *debug); err != nil {
		fmt.Fprintf(stderr, "hull-trace: %v\n", err)
		return 125
	}
	return 0
}

// serve wires everything.
func serve(root, otlp, noKernel string, debug bool) error {
	inst, err := instance.At(root)
	if err != nil {
		return err
	}
	if err := privateDir(inst.Run); err != nil {
		return err
	}
	lock, err := instance.Hold(inst.PIDFile("hull-trace"), inst.TraceSocket())
	if err != nil {
		return err
	}
	defer lock.Release()
	st, err := openStore(inst.Traces())
	if err != nil {
		return err
	}
	push, err := newPusher(otlp)
	if err != nil {
		return err
	}
	defer push.close()
	c := newCollector(inst, st, push)
	if noKernel != "" {
		c.reason = noKernel
	} else if c.tracer, err = bpf.Open(); err != nil {
		c.tracer, c.reason = nil, err.Error()
		slog.Warn("the kernel's side is absent", "reason", c.reason)
	}
	defer c.close()

	spans, err := instance.Listen("unixpacket", inst.SpanSocket(), 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(inst.SpanSocket())
	defer spans.Close()
	control, err := instance.Listen("unix", inst.TraceSocket(), 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(inst.TraceSocket())
	defer control.Close()

	gates, err := instance.Listen("unixpacket", inst.GateSocket(), 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(inst.GateSocket())
	defer gates.Close()

	failed := make(chan error, 3)
	if c.tracer != nil {
		go c.readKernel()
	}
	go func() { failed <- c.takeSpans(spans) }()
	go func() { failed <- c.serve(control) }()
	go func() { failed <- (&gate.Server{Faults: debug}).Serve(gates) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM, unix.SIGINT)
	slog.Info("ready", "pid", os.Getpid(), "address", inst.TraceSocket(), "kernel", c.tracer != nil)
	select {
	case <-stop:
		return nil
	case err := <-failed:
		return err
	}
}

// ownedBy reports whether a process is the user's.
func ownedBy(pid int, uid uint32) bool {
	var st unix.Stat_t
	err := unix.Stat(fmt.Sprintf("/proc/%d", pid), &st)
	return err == nil && st.Uid == uid
}
