// Command man writes hull's manual pages, one for each command, into a directory: man DIR. They are made from the command tree, as --help is.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hull/client/cli"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: man DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1], cli.Tree()); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// write writes the page of c and of the commands below it.
func write(dir string, c *cobra.Command) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	if err := os.WriteFile(filepath.Join(dir, name+".1"), []byte(page(name, c)), 0o644); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			if err := write(dir, sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// page is one command in the language of man(7).
func page(name string, c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" hull \"hull manual\"\n.SH NAME\n%s \\- %s\n", quoted(strings.ToUpper(name)), text(name), text(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.SH DESCRIPTION\n", text(c.UseLine()))
	long := c.Long
	if long == "" {
		long = c.Short
	}
	for _, paragraph := range strings.Split(long, "\n\n") {
		fmt.Fprintf(&b, ".PP\n%s\n", text(paragraph))
	}
	title := "OPTIONS"
	if !c.HasParent() {
		title = "GLOBAL OPTIONS"
	}
	first := true
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		if first {
			fmt.Fprintf(&b, ".SH %s\n", title)
			first = false
		}
		b.WriteString(option(f))
	})
	var below []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			below = append(below, fmt.Sprintf(".TP\n.BR %s (1)\n%s\n", text(name+"-"+sub.Name()), text(sub.Short)))
		}
	}
	if len(below) > 0 {
		b.WriteString(".SH COMMANDS\n" + strings.Join(below, ""))
	}
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", text(strings.ReplaceAll(c.Parent().CommandPath(), " ", "-")))
	}
	return b.String()
}

func option(f *pflag.Flag) string {
	name, usage := pflag.UnquoteUsage(f)
	line := `\fB\-\-` + text(f.Name) + `\fR`
	if f.Shorthand != "" {
		line = `\fB\-` + f.Shorthand + `\fR, ` + line
	}
	if name != "" {
		line += ` \fI` + text(name) + `\fR`
	}
	return ".TP\n" + line + "\n" + text(usage) + "\n"
}

// text escapes what roff(7) would read as its own: backslashes, hyphens, and a dot or a quote that begins a line.
func text(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n.br\n")
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, "-", `\-`) + `"` }
