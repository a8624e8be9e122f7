package cli

import "github.com/spf13/cobra"

// tagCommand is `hull tag`.
func (a *app) tagCommand() *cobra.Command {
	return &cobra.Command{
		Use: "tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", Short: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", Args: args(2, 2),
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			to, err := readName(names[1])
			switch {
			case err != nil:
				return saidf("Error parsing reference: %q is not a valid repository/tag: %v", names[1], err)
			case to.digest != "":
				return saidf("refusing to create a tag with a digest reference")
			}
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			return client.TagImage(c.Context(), names[0], to.repository(), to.version())
		},
	}
}
