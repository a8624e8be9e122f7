package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// renameCommand is `hull rename`.
func (a *app) renameCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rename CONTAINER NEW_NAME", Short: "Rename a container", Args: args(2, 2), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			old, name := strings.TrimSpace(names[0]), strings.TrimSpace(names[1])
			if old == "" || name == "" {
				return said("Error: Neither old nor new names may be empty")
			}
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			if err := client.Rename(c.Context(), old, name); err != nil {
				a.report(err)
				return saidf("Error: failed to rename container named %s", old)
			}
			return nil
		},
	}
}
