package cli

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"

	"hull/client/engine"
	"hull/stages"
	"hull/trace/span"
)

// runOptions are the flags of run, and the words after them.
type runOptions struct {
	interactive, tty, detach, rm                            bool
	name, workdir, user, hostname, entrypoint, networkValue string
	entrypointSet                                           bool
	env                                                     []string
	binds                                                   []string
	memory                                                  memory
	cpus                                                    cpus
	pidsLimit                                               int64
	streams                                                 attachOptions
	trace                                                   bool
	traceOut                                                []string

	image   string
	command []string
}

// define defines run's flags: docker's names and meanings, then hull's own.
func (o *runOptions) define(f *pflag.FlagSet) {
	f.SetInterspersed(false) // what stands after the image is the container's
	f.BoolVarP(&o.interactive, "interactive", "i", false, "Keep STDIN open even if not attached")
	f.BoolVarP(&o.tty, "tty", "t", false, "Allocate a pseudo-TTY")
	f.BoolVarP(&o.detach, "detach", "d", false, "Run container in background and print container ID")
	f.BoolVar(&o.rm, "rm", false, "Automatically remove the container and its associated anonymous volumes when it exits")
	f.StringVar(&o.name, "name", "", "Assign a name to the container")
	f.VarP(listValue{&o.env, checkEnv}, "env", "e", "Set environment variables")
	f.StringVarP(&o.workdir, "workdir", "w", "", "Working directory inside the container")
	f.StringVarP(&o.user, "user", "u", "", "Username or UID (format: <name|uid>[:<group|gid>])")
	f.StringVarP(&o.hostname, "hostname", "h", "", "Container host name")
	f.StringVar(&o.entrypoint, "entrypoint", "", "Overwrite the default ENTRYPOINT of the image")
	f.VarP(listValue{&o.binds, checkBind}, "volume", "v", "Bind mount a directory or file: /SOURCE:/TARGET[:ro]")
	f.Var((*network)(&o.networkValue), "network", "Connect a container to a network: none or host (default none, until bridge is offered)")
	f.Var((*network)(&o.networkValue), "net", "")
	f.Lookup("net").Hidden = true
	f.VarP(&o.memory, "memory", "m", "Memory limit")
	f.Var(&o.cpus, "cpus", "Number of CPUs")
	f.Int64Var(&o.pidsLimit, "pids-limit", 0, "Tune container pids limit (set -1 for unlimited)")
	o.streams.define(f)
	f.BoolVar(&o.trace, "trace", false, "Record every step, and print the timeline to STDERR after the container's output")
	f.Var(listValue{&o.traceOut, checkTraceOut}, "trace-out", "Write the trace to a `file` (.json Jaeger, .otlp.json, .html, .txt); implies --trace")
}

// payload makes the API's document out of the flags. What is not in it, the daemon never learns.
func (o *runOptions) payload(ctx context.Context, a *app) (body engine.CreateRequest, err error) {
	_, sp := span.Start(ctx, stages.ClientPayload)
	defer sp.End(&err)
	if o.detach && len(o.streams.streams) > 0 {
		return body, conflicting("--attach", "--detach")
	}
	stdin, stdout, stderr := o.streams.wanted(o.interactive)
	if !o.detach {
		if err := a.checkTTY(stdin, o.tty); err != nil {
			return body, err
		}
	}
	body = engine.CreateRequest{
		Hostname: o.hostname, User: o.user, WorkingDir: o.workdir, Image: o.image, Cmd: o.command, Env: o.environment(),
		Tty: o.tty, OpenStdin: o.interactive,
		HostConfig: engine.HostConfig{
			Binds: o.binds, NetworkMode: o.networkValue, AutoRemove: o.rm,
			Memory: int64(o.memory), NanoCpus: int64(o.cpus),
		},
	}
	if body.HostConfig.NetworkMode == "" {
		body.HostConfig.NetworkMode = "none"
	}
	if !o.detach {
		body.AttachStdin, body.AttachStdout, body.AttachStderr = stdin, stdout, stderr
		body.StdinOnce = o.interactive && stdin
	}
	if o.entrypointSet {
		body.Entrypoint = []string{o.entrypoint} // [""] is how the API spells "none at all"
	}
	if o.pidsLimit != 0 {
		body.HostConfig.PidsLimit = &o.pidsLimit
	}
	if o.tty {
		if rows, cols, ok := a.windowSize(); ok {
			body.HostConfig.ConsoleSize = [2]uint{rows, cols}
		}
	}
	return body, nil
}

// environment is -e's values; NAME alone takes the client's own, and is left out if that has none.
func (o *runOptions) environment() []string {
	var env []string
	for _, e := range o.env {
		if !strings.Contains(e, "=") {
			value, ok := os.LookupEnv(e)
			if !ok {
				continue
			}
			e += "=" + value
		}
		env = append(env, e)
	}
	return env
}

// A listValue is a flag that may be given several times; check may refuse or rewrite each value.
type listValue struct {
	list  *[]string
	check func(string) (string, error)
}

func (v listValue) Set(s string) error {
	s, err := v.check(s)
	if err == nil {
		*v.list = append(*v.list, s)
	}
	return err
}
func (v listValue) Type() string   { return "list" }
func (v listValue) String() string { return "" }

func checkEnv(s string) (string, error) {
	if name, _, _ := strings.Cut(s, "="); name == "" {
		return "", fmt.Errorf("invalid environment variable: %s", s)
	}
	return s, nil
}

// checkBind accepts SOURCE:TARGET[:MODE]. A source that begins with a dot is a path of the client and made absolute here, because the
// daemon does not know where the client stands. A bare word is the name of a volume.
func checkBind(s string) (string, error) {
	part := strings.SplitN(s, ":", 3)
	switch {
	case len(part) == 1:
		return "", fmt.Errorf("anonymous volumes are not offered yet (give /SOURCE:/TARGET)")
	case part[0] == "" || part[1] == "":
		return "", fmt.Errorf("empty section between colons")
	case !filepath.IsAbs(part[1]):
		return "", fmt.Errorf("invalid mount path: '%s' mount path must be absolute", part[1])
	case part[0] == "." || part[0] == ".." || strings.HasPrefix(part[0], "./") || strings.HasPrefix(part[0], "../"):
		abs, err := filepath.Abs(part[0])
		if err != nil {
			return "", err
		}
		part[0] = abs
	case strings.Contains(part[0], "/") && part[0][0] != '/':
		return "", fmt.Errorf("%q is no path (begin it with / or ./)", part[0])
	case part[0][0] != '/':
		return "", fmt.Errorf("named volumes are not offered yet (%q is no path: begin it with / or ./)", part[0])
	}
	return strings.Join(part, ":"), nil
}

// A network is the value of --network.
type network string

func (n *network) Set(s string) error {
	if s != "none" && s != "host" {
		return fmt.Errorf("this network is not offered yet (use none or host)")
	}
	*n = network(s)
	return nil
}
func (n *network) Type() string   { return "network" }
func (n *network) String() string { return string(*n) }

// A memory is a number of bytes, written with a unit: 64m, 1g, 1048576.
type memory int64

func (m *memory) Set(s string) error {
	n, err := units.RAMInBytes(s)
	*m = memory(n)
	return err
}
func (m *memory) Type() string { return "bytes" }
func (m *memory) String() string {
	if *m == 0 {
		return ""
	}
	return units.BytesSize(float64(*m))
}

// A cpus is a number of CPUs in billionths, written as a decimal: 0.5, 2.
type cpus int64

func (c *cpus) Set(s string) error {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return fmt.Errorf("failed to parse %v as a rational number", s)
	}
	nano := r.Mul(r, big.NewRat(1e9, 1))
	if !nano.IsInt() {
		return fmt.Errorf("value is too precise")
	}
	if !nano.Num().IsInt64() {
		return fmt.Errorf("value is too large")
	}
	*c = cpus(nano.Num().Int64())
	return nil
}
func (c *cpus) Type() string { return "decimal" }
func (c *cpus) String() string {
	if *c == 0 {
		return ""
	}
	return big.NewRat(int64(*c), 1e9).FloatString(3)
}
