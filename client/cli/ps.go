package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"hull/client/engine"
)

// psCommand is `hull ps`, and under the name ls `hull container ls`.
func (a *app) psCommand(name string) *cobra.Command {
	var all, quiet, full bool
	c := &cobra.Command{
		Use: name + " [OPTIONS]", Short: "List containers", Args: args(0, 0), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			list, err := client.List(c.Context(), all)
			if err != nil {
				return err
			}
			a.printContainers(list, quiet, full)
			return nil
		},
	}
	if name == "ls" {
		c.Aliases = []string{"list", "ps"}
	}
	c.Flags().BoolVarP(&all, "all", "a", false, "Show all containers (default shows just running)")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "Only display container IDs")
	c.Flags().BoolVar(&full, "no-trunc", false, "Don't truncate output")
	return c
}

func (a *app) printContainers(list []engine.Container, quiet, full bool) {
	t := table{{"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"}}
	for _, c := range list {
		id, command := c.ID, c.Command
		if !full {
			id, command = shortID(id), ellipsis(command, 20)
		}
		if quiet {
			fmt.Fprintln(a.out, id)
			continue
		}
		t = append(t, []string{
			id, c.Image, fmt.Sprintf("%q", command), ago(c.Created), c.Status, ports(c.Ports),
			strings.ReplaceAll(strings.Join(c.Names, ","), "/", ""),
		})
	}
	if !quiet {
		t.print(a.out)
	}
}

// shortID is the form in which people read an id: twelve digits, without the algorithm.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}

// ellipsis cuts s to n characters, the last of which then is "…".
func ellipsis(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func ago(unix int64) string {
	return units.HumanDuration(time.Since(time.Unix(unix, 0))) + " ago"
}
