package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages"
	"hull/stages/instance"
)

// EnvHost names the daemon's socket where -H does not: unix:///PATH.
const EnvHost = "HULL_HOST"

// rootCommand is the whole command tree.
func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:                   "hull [OPTIONS] COMMAND [ARG...]",
		Short:                 "A container engine that shows how it works",
		Long:                  "hull runs containers as docker does, one small program per step, and shows each step: hull run --trace IMAGE.",
		DisableFlagsInUseLine: true,
		SilenceErrors:         true,
		SilenceUsage:          true,
		TraverseChildren:      true, // options before the verb are hull's, options after it the verb's
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(args[0])
			}
			return nil
		},
		RunE: help,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(a.printHelp)
	root.SetOut(a.out)
	root.SetErr(a.err)
	f := root.PersistentFlags()
	f.Bool("help", false, "Print usage")
	f.StringVarP(&a.host, "host", "H", "", "Daemon `socket` to connect to: unix:///PATH (default $HULL_HOST, then the instance's own)")
	f.StringVar(&a.root, "root", "", "Root `directory` of the instance (default $HULL_ROOT, then /run/hull and /var/lib/hull)")
	root.Flags().SetInterspersed(false)

	for _, name := range verbsIn(a.args) {
		root.AddCommand(a.verb(name))
	}
	if len(a.args) > 0 && strings.HasPrefix(a.args[0], cobra.ShellCompRequestCmd) {
		a.addCompletions(root)
	}
	return root
}

// verbs are the names of what stands behind hull, in the order of the help.
var verbs = []string{
	"run", "ps", "logs", "stop", "rm", "inspect", "load", "images", "rmi", "version", "container", "image", "trace", "up", "down",
	"status", "demo", "create", "port", "start", "restart", "kill", "wait", "rename", "attach", "events", "info", "exec", "pause",
	"unpause", "top", "update", "completion", "pull", "push", "tag", "save", "import", "export", "history", "cp", "diff", "stages",
	"explain", "doctor",
}

// verb makes one verb's command.
func (a *app) verb(name string) *cobra.Command {
	switch name {
	case "run":
		return a.runCommand()
	case "create":
		return a.createCommand()
	case "ps":
		return a.psCommand("ps")
	case "logs":
		return a.logsCommand()
	case "port":
		return a.portCommand()
	case "stop":
		return a.stopCommand()
	case "rm":
		return a.rmCommand()
	case "start":
		return a.startCommand()
	case "restart":
		return a.restartCommand()
	case "kill":
		return a.killCommand()
	case "wait":
		return a.waitCommand()
	case "rename":
		return a.renameCommand()
	case "attach":
		return a.attachCommand()
	case "events":
		return a.eventsCommand()
	case "completion":
		return a.completionCommand()
	case "info":
		return a.infoCommand()
	case "exec":
		return a.execCommand()
	case "pause":
		return a.pauseCommand()
	case "unpause":
		return a.unpauseCommand()
	case "top":
		return a.topCommand()
	case "update":
		return a.updateCommand()
	case "inspect":
		return a.inspectCommand()
	case "load":
		return a.loadCommand()
	case "pull":
		return a.pullCommand()
	case "push":
		return a.pushCommand()
	case "tag":
		return a.tagCommand()
	case "save":
		return a.saveCommand()
	case "import":
		return a.importCommand()
	case "export":
		return a.exportCommand()
	case "history":
		return a.historyCommand()
	case "cp":
		return a.cpCommand()
	case "diff":
		return a.diffCommand()
	case "images":
		return a.imagesCommand("images")
	case "rmi":
		return a.imageRmCommand("rmi")
	case "version":
		return a.versionCommand()
	case "container":
		c := group("container", "Manage containers")
		c.AddCommand(a.runCommand(), a.createCommand(), a.psCommand("ls"), a.logsCommand(), a.portCommand(), a.stopCommand(), a.rmCommand(), a.containerInspectCommand())
		c.AddCommand(a.startCommand(), a.restartCommand(), a.killCommand(), a.waitCommand(), a.renameCommand(), a.attachCommand(), a.containerPruneCommand())
		c.AddCommand(a.execCommand(), a.pauseCommand(), a.unpauseCommand(), a.topCommand(), a.updateCommand())
		c.AddCommand(a.cpCommand(), a.diffCommand(), a.exportCommand())
		return c
	case "image":
		c := group("image", "Manage images")
		c.AddCommand(a.loadCommand(), a.imagesCommand("ls"), a.imageInspectCommand(), a.imageRmCommand("rm"))
		c.AddCommand(a.pullCommand(), a.pushCommand(), a.tagCommand(), a.saveCommand(), a.importCommand(), a.historyCommand(), a.imagePruneCommand())
		return c
	case "trace":
		return a.traceCommand()
	case "stages":
		return a.stagesCommand()
	case "explain":
		return a.explainCommand()
	case "doctor":
		return a.doctorCommand()
	case "up":
		return a.upCommand()
	case "down":
		return a.downCommand()
	case "demo":
		return a.pluginCommand("demo", "Show what happens when the daemons die: hull demo restart")
	default:
		return a.statusCommand()
	}
}

// verbsIn is which verbs a command line can be about: those it names, or all if it names none. A client is started for one verb; making
// the other fifteen costs it forty page faults each time.
func verbsIn(args []string) []string {
	var named []string
	for _, name := range verbs {
		if slices.Contains(args, name) {
			named = append(named, name)
		}
	}
	if named == nil {
		return verbs
	}
	return named
}

// group is a verb that only holds others.
func group(name, short string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, RunE: help, Args: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownVerb(c.Name() + " " + args[0])
		}
		return nil
	}}
}

func help(c *cobra.Command, _ []string) error { return c.Help() }

// args checks how many arguments a verb has, in docker's words. most < 0 is no limit.
func args(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, got []string) error {
		var want string
		switch {
		case len(got) >= least && (most < 0 || len(got) <= most):
			return nil
		case most == 0:
			want = "accepts no arguments"
		case least == most:
			want = fmt.Sprintf("requires %d argument%s", least, plural(least))
		case most < 0:
			want = fmt.Sprintf("requires at least %d argument%s", least, plural(least))
		default:
			want = fmt.Sprintf("requires at most %d argument%s", most, plural(most))
		}
		return fmt.Errorf("'%s' %s\n\nUsage:  %s\n\nSee '%s --help' for more information", c.CommandPath(), want, c.UseLine(), c.CommandPath())
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// instance is the instance that the command line means.
func (a *app) instance() (instance.Instance, error) { return instance.At(a.root) }

// socket is the daemon's socket: -H, else HULL_HOST, else the instance's. --root says which instance, so it wins over HULL_HOST.
func (a *app) socket() (string, error) {
	host := a.host
	if host == "" && a.root == "" {
		host = os.Getenv(EnvHost)
	}
	if host == "" {
		inst, err := a.instance()
		return inst.APISocket(), err
	}
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok || !strings.HasPrefix(path, "/") {
		return "", &stages.Error{Kind: stages.Unsupported, Thing: host, Err: fmt.Errorf("hosts of this form are not offered yet"), Hint: "use unix:///PATH"}
	}
	return path, nil
}

// connect makes a client and settles the API version with the daemon.
func (a *app) connect(ctx context.Context) (*engine.Client, error) {
	socket, err := a.socket()
	if err != nil {
		return nil, err
	}
	c := engine.New(socket)
	return c, c.Ping(ctx)
}
