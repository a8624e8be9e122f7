package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// printHelp is docker's form of --help. It is code and not a template: see client/format for what templates cost.
func (a *app) printHelp(c *cobra.Command, _ []string) {
	text := c.Long
	if text == "" {
		text = c.Short
	}
	fmt.Fprintf(a.out, "Usage:  %s\n\n%s\n", c.UseLine(), text)
	if names := aliases(c); len(names) > 1 {
		fmt.Fprintf(a.out, "\nAliases:\n  %s\n", strings.Join(names, ", "))
	}
	printCommands(a.out, "Management Commands", c, true)
	printCommands(a.out, "Commands", c, false)
	title, flags := "Options", c.LocalFlags()
	if !c.HasParent() {
		title = "Global Options"
	}
	if help := flags.Lookup("help"); help != nil {
		help.Hidden = true
	}
	if usages := flags.FlagUsagesWrapped(a.width()); usages != "" {
		fmt.Fprintf(a.out, "\n%s:\n%s", title, usages)
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(a.out, "\nRun '%s COMMAND --help' for more information on a command.\n", c.CommandPath())
	}
}

// width is how many columns help has: the terminal's, or 80.
func (a *app) width() int {
	if f, ok := a.out.(interface{ Fd() uintptr }); ok {
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 0 {
			return cols
		}
	}
	return 80
}

// printCommands lists the commands below c: those that hold others, or those that do something.
func printCommands(w io.Writer, title string, c *cobra.Command, groups bool) {
	widest := 0
	var list []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.HasAvailableSubCommands() == groups {
			list = append(list, sub)
			widest = max(widest, len(sub.Name()))
		}
	}
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, sub := range list {
		fmt.Fprintf(w, "  %-*s   %s\n", widest, sub.Name(), sub.Short)
	}
}

// longForms are the verbs that docker has in two places, and the name that the longer one ends with. Made when help asks: a start does not.
func longForms() map[string]string {
	return map[string]string{
		"attach": "container attach", "create": "container create", "exec": "container exec", "cp": "container cp", "diff": "container diff",
		"export": "container export", "kill": "container kill", "logs": "container logs", "pause": "container pause", "port": "container port",
		"ps": "container ls", "rename": "container rename", "restart": "container restart", "rm": "container rm", "run": "container run",
		"start": "container start", "stats": "container stats", "stop": "container stop", "top": "container top", "unpause": "container unpause",
		"update": "container update", "wait": "container wait", "images": "image ls", "rmi": "image rm", "load": "image load", "save": "image save",
		"tag": "image tag", "history": "image history", "import": "image import", "pull": "image pull", "push": "image push",
	}
}

// aliases are all names of a command, the longest first.
func aliases(c *cobra.Command) (names []string) {
	path := strings.Join(strings.Fields(c.CommandPath())[1:], " ")
	for short, long := range longForms() {
		if path != short && path != long {
			continue
		}
		names = append(names, "hull "+long)
		if long == "container ls" {
			names = append(names, "hull container list", "hull container ps")
		}
		return append(names, "hull "+short)
	}
	return nil
}
