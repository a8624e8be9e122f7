package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// diffCommand is `hull diff`.
func (a *app) diffCommand() *cobra.Command {
	return &cobra.Command{
		Use: "diff CONTAINER", Short: "Inspect changes to files or directories on a container's filesystem", Args: args(1, 1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			changes, err := client.Changes(c.Context(), names[0])
			if err != nil {
				return err
			}
			for _, change := range changes {
				kind := "?"
				if change.Kind >= 0 && change.Kind < 3 {
					kind = "CAD"[change.Kind : change.Kind+1]
				}
				fmt.Fprintln(a.out, kind, change.Path)
			}
			return nil
		},
	}
}
