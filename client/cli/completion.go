package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/stages"
)

// completionCommand is `hull completion SHELL`: the script that the shell loads. It asks `hull __complete` at each Tab (cobra's protocol), which
// asks the daemon.
func (a *app) completionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "completion SHELL", Short: "Print the completion script of a shell: bash, zsh or fish", Args: args(1, 1), DisableFlagsInUseLine: true,
		Long: "Print the completion script of a shell. To load it into this session:\n\n  bash:  source <(hull completion bash)\n" +
			"  zsh:   source <(hull completion zsh)\n  fish:  hull completion fish | source",
		ValidArgs: []string{"bash", "zsh", "fish"},
	}
	c.RunE = func(c *cobra.Command, names []string) error {
		switch root := c.Root(); names[0] {
		case "bash":
			return root.GenBashCompletionV2(a.out, true)
		case "zsh":
			return root.GenZshCompletion(a.out)
		case "fish":
			return root.GenFishCompletion(a.out, true)
		}
		return &exit{125, fmt.Errorf("no completion for %q (use bash, zsh or fish)", names[0])}
	}
	return c
}

// A nameKind is what a verb's arguments are the names of.
type nameKind uint8

const (
	anyContainer nameKind = iota
	runningContainer
	stoppedContainer
	anyImage
	containerOrImage
	anyStep
)

// completes says what each verb takes, and how many (0 for any number).
var completes = []struct {
	kind  nameKind
	most  int
	verbs string
}{
	{anyContainer, 0, "rm wait restart update"},
	{anyContainer, 1, "logs port rename diff export commit cp"},
	{runningContainer, 0, "stop kill pause unpause stats"},
	{runningContainer, 1, "attach exec top"},
	{stoppedContainer, 0, "start"},
	{anyImage, 0, "rmi save"},
	{anyImage, 1, "run create history tag push"},
	{containerOrImage, 0, "inspect"},
	{anyStep, 1, "explain"},
}

// addCompletions gives the commands below c their names. It is done only where a shell asks.
func (a *app) addCompletions(c *cobra.Command) {
	for _, sub := range c.Commands() {
		a.addCompletions(sub)
	}
	path := strings.Fields(c.CommandPath())
	verb := path[len(path)-1]
	for _, row := range completes {
		if !slices.Contains(strings.Fields(row.verbs), verb) {
			continue
		}
		kind := row.kind
		if len(path) > 2 && path[1] == "image" { // hull image rm, hull image inspect
			kind = anyImage
		} else if len(path) > 2 && path[1] == "container" && kind == containerOrImage {
			kind = anyContainer
		}
		c.ValidArgsFunction = func(c *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if row.most > 0 && len(given) >= row.most {
				return nil, cobra.ShellCompDirectiveDefault // files: the arguments of a program, a destination
			}
			names := slices.DeleteFunc(a.names(c.Context(), kind), func(n string) bool { return slices.Contains(given, n) })
			return names, cobra.ShellCompDirectiveNoFileComp
		}
	}
	if c.Flags().Lookup("restart") != nil {
		c.RegisterFlagCompletionFunc("restart", cobra.FixedCompletions([]string{"no", "always", "on-failure", "unless-stopped"}, cobra.ShellCompDirectiveNoFileComp))
	}
}

// names asks for what exists. Nobody reads an error at a Tab: without a daemon there is nothing to offer.
func (a *app) names(ctx context.Context, kind nameKind) (list []string) {
	if kind == anyStep {
		for _, s := range stages.All() {
			list = append(list, s.ID.String())
		}
		return list
	}
	client, err := a.connect(ctx)
	if err != nil {
		return nil
	}
	if kind != anyImage {
		all, err := client.List(ctx, engine.ListOptions{All: kind != runningContainer})
		if err != nil {
			return nil
		}
		for _, c := range all {
			if kind == stoppedContainer && (c.State == "running" || c.State == "restarting" || c.State == "paused") {
				continue
			}
			for _, name := range c.Names {
				list = append(list, strings.TrimPrefix(name, "/"))
			}
		}
	}
	if kind == anyImage || kind == containerOrImage {
		images, err := client.Images(ctx, false, nil)
		if err != nil {
			return list
		}
		for _, i := range images {
			list = append(list, i.RepoTags...)
		}
	}
	return list
}
