package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// pushCommand is `hull push`.
func (a *app) pushCommand() *cobra.Command {
	var quiet, all bool
	c := &cobra.Command{
		Use: "push [OPTIONS] NAME[:TAG]", Short: "Upload an image to a registry", Args: args(1, 1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			name, err := readName(names[0])
			switch {
			case err != nil:
				return err
			case name.digest != "":
				return saidf("cannot push a digest reference")
			case all && name.tag != "":
				return saidf("tag can't be used with --all-tags/-a")
			}
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			tag := name.version()
			if all {
				tag = ""
			} else if name.bare() && !quiet {
				fmt.Fprintln(a.out, "Using default tag: latest")
			}
			if err := client.PushImage(c.Context(), name.repository(), tag, reporter(a.out, quiet)); err != nil {
				return err
			}
			if quiet {
				fmt.Fprintln(a.out, name)
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&all, "all-tags", "a", false, "Push all tags of an image to the repository")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "Suppress verbose output")
	return c
}
