package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"hull/stages"
	"hull/trace/span"
)

// global are the flags before the verb.
type global struct {
	root     string
	rootless bool // cgroups that the caller may not make are no failure
	log      logger
	ctx      context.Context
	rec      *span.Recorder
	out      io.Writer
	code     int // the exit code, where it is not the usual one
}

// verbs are what hull-runc can do, in the order of its help.
var verbs = []struct {
	name, args, does string
	run              func(g *global, fs *flag.FlagSet, args []string) error
}{
	{"create", "[flags] ID", "make a container from a bundle, up to the user's program", create},
	{"start", "ID", "let a created container run its program", start},
	{"run", "[flags] ID", "create, start, wait for the end, delete: all by one process", run},
	{"state", "ID", "print the state of a container", state},
	{"exec", "[flags] ID PROGRAM…", "add a process to a container", exec},
	{"kill", "[--all] ID [SIGNAL]", "send a signal (default: TERM)", kill},
	{"pause", "ID", "freeze all processes of a container", pause},
	{"resume", "ID", "let a paused container go on", resume},
	{"ps", "[--format F] ID", "list the processes of a container", ps},
	{"update", "[flags] ID", "change the limits of a container", update},
	{"events", "[flags] ID", "print what a container uses, and when it was out of memory", events},
	{"list", "[--format F]", "list the containers", listContainers},
	{"delete", "[--force] ID", "remove a container that has stopped", remove},
	{"spec", "[flags]", "write a config.json to begin with", spec},
	{"plan", "BUNDLE", "print the system calls that create would have the container's first process make", plan},
	{"features", "", "print what is offered, as JSON", features},
}

// Main runs one command and returns the process's exit code.
func Main(args []string) int {
	g := &global{out: os.Stdout, ctx: context.Background()}
	err := g.run(args)
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	if err != nil {
		g.log.write("error", err.Error())
		fmt.Fprintln(os.Stderr, "hull-runc: "+err.Error())
	}
	g.rec.Close()
	if err != nil && g.code == 0 {
		return 1
	}
	return g.code
}

func (g *global) run(args []string) error {
	fs := newFlags("hull-runc")
	fs.StringVar(&g.root, "root", defaultRoot(), "directory of the containers' states")
	fs.StringVar(&g.log.file, "log", "", "file that warnings and errors are appended to")
	fs.StringVar(&g.log.format, "log-format", "text", "text or json")
	fs.BoolVar(&g.log.debug, "debug", false, "log each verb as well")
	rootless := fs.String("rootless", "auto", "true: go on without cgroups that the caller may not make; false; or auto: true for an ordinary user")
	systemd := fs.Bool("systemd-cgroup", false, "refused: cgroups are made in cgroupfs")
	version := fs.Bool("version", false, "print the version")
	fs.BoolVar(version, "v", false, "print the version")
	if err := parse(fs, args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(g.out, fs)
		}
		return err
	}
	if g.log.format != "text" && g.log.format != "json" {
		return invalid("--log-format", fmt.Sprintf("%q is neither text nor json", g.log.format))
	}
	if *version {
		printVersion(g.out)
		return nil
	}
	if *systemd {
		return &stages.Error{Kind: stages.Unsupported, Thing: "--systemd-cgroup", Err: errors.New("not offered"), Hint: "use the cgroupfs driver"}
	}
	switch *rootless {
	case "auto":
		g.rootless = ordinary()
	case "true", "false":
		g.rootless = *rootless == "true"
	default:
		return invalid("--rootless", fmt.Sprintf("%q is neither true nor false nor auto", *rootless))
	}
	if fs.NArg() == 0 {
		usage(os.Stderr, fs)
		return invalid("hull-runc", "no command is given")
	}
	for _, v := range verbs {
		if v.name != fs.Arg(0) {
			continue
		}
		parent := span.Context{}
		g.rec, parent = span.FromEnv("hull-runc")
		g.ctx = g.rec.Join(g.ctx, parent)
		g.log.write("debug", "hull-runc "+strings.Join(args, " "))
		return v.run(g, newFlags(v.name), fs.Args()[1:])
	}
	return &stages.Error{Kind: stages.Unsupported, Thing: fs.Arg(0), Err: errors.New("no such command"), Hint: "hull-runc --help lists them"}
}

func newFlags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors come back to Main, which prints one line
	return fs
}

func parse(fs *flag.FlagSet, args []string) error {
	err := fs.Parse(args)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		return &stages.Error{Kind: stages.Invalid, Thing: fs.Name(), Err: err}
	}
	return err
}

// positional parses a verb's flags and takes its arguments: at least low, at most high; a negative high is no limit.
func positional(fs *flag.FlagSet, args []string, low, high int) ([]string, error) {
	if err := parse(fs, args); err != nil {
		return nil, err
	}
	if fs.NArg() < low || high >= 0 && fs.NArg() > high {
		return nil, invalid(fs.Name(), fmt.Sprintf("%d arguments", fs.NArg()))
	}
	return fs.Args(), nil
}

func invalid(thing, problem string) error {
	return &stages.Error{Kind: stages.Invalid, Thing: thing, Err: errors.New(problem), Hint: "see hull-runc --help"}
}

func usage(w io.Writer, fs *flag.FlagSet) {
	fmt.Fprintln(w, "usage: hull-runc [flags] COMMAND [arguments]")
	for _, v := range verbs {
		fmt.Fprintf(w, "  %-9s %-20s %s\n", v.name, v.args, v.does)
	}
	fmt.Fprintln(w, "flags:")
	fs.VisitAll(func(f *flag.Flag) { fmt.Fprintf(w, "  --%-16s %s\n", f.Name, f.Usage) })
}
