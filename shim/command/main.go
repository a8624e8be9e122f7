// Package command is hull-shim's command line:
//
//	hull-shim -namespace N -address GRPC -publish-binary P -id ID [-bundle B] [-debug] start|delete
//	hull-shim log FILE attach SOCKET      (either pair, in any order: docs/seams.md, section 2)
//	hull-shim -v | -info
//
// start, delete, -v and -info are containerd's contract (containerd docs/runtime-v2.md); serve (with -socket) is what start leaves
// behind; log and attach are how a foreign shim uses us as its logging program. Called by containerd and by shims, hardly ever by people.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"hull/shim/wire"
	"hull/stages"
)

// A call is the parsed command line, together with the environment that belongs to it.
type call struct {
	namespace string
	id        string
	bundle    string // absolute
	grpc      string // containerd's socket
	ttrpc     string // containerd's socket for events
	publish   string // accepted as the contract wants it; events go by ttrpc
	socket    string // serve's: the name of the socket that is descriptor 3
	debug     bool
}

// Main runs one command and returns the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := run(args, stdin, stdout); err != nil {
		fmt.Fprintln(stderr, "hull-shim:", err)
		return 1
	}
	return 0
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) > 0 && (args[0] == "log" || args[0] == "attach") {
		return logger(args)
	}
	var c call
	flags := flag.NewFlagSet("hull-shim", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.namespace, "namespace", "", "containerd namespace")
	flags.StringVar(&c.id, "id", "", "container")
	flags.StringVar(&c.bundle, "bundle", "", "bundle directory (default: the working directory)")
	flags.StringVar(&c.grpc, "address", "", "containerd's gRPC socket")
	flags.StringVar(&c.publish, "publish-binary", "", "containerd's binary")
	flags.StringVar(&c.socket, "socket", "", "serve: where the socket on descriptor 3 is")
	flags.BoolVar(&c.debug, "debug", false, "log more")
	version := flags.Bool("v", false, "print the version")
	info := flags.Bool("info", false, "print a RuntimeInfo message (protobuf)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *version:
		_, err := fmt.Fprintf(stdout, "hull-shim:\n  Go version: %s\n", runtime.Version())
		return err
	case *info:
		info := &wire.RuntimeInfo{Name: "io.containerd.hull.v2", Version: &wire.RuntimeVersion{Version: "v2"}}
		_, err := stdout.Write(wire.Marshal(info))
		return err
	}
	if c.namespace == "" || c.id == "" {
		return errors.New("-namespace and -id are needed")
	}
	c.ttrpc = os.Getenv("TTRPC_ADDRESS")
	if c.grpc == "" {
		c.grpc = os.Getenv("GRPC_ADDRESS")
	}
	if c.bundle == "" {
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		c.bundle = dir
	}
	switch verb := flags.Arg(0); verb {
	case "start":
		return c.start(stdin, stdout)
	case "serve":
		return c.serve()
	case "delete":
		return c.delete(stdout)
	default:
		return &stages.Error{Kind: stages.Invalid, Thing: verb, Err: errors.New("no such command"), Hint: "start, delete, serve, log"}
	}
}
