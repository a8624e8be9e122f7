package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// importCommand is `hull import`.
func (a *app) importCommand() *cobra.Command {
	var changes []string
	var message string
	c := &cobra.Command{
		Use: "import [OPTIONS] file|- [REPOSITORY[:TAG]]", Short: "Import the contents from a tarball to create a filesystem image",
		Args: args(1, 2), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			name, tag := "", ""
			if len(names) == 2 {
				n, err := readName(names[1])
				if err != nil {
					return err
				}
				name, tag = n.repository(), n.version()
			}
			archive := a.in
			switch {
			case strings.HasPrefix(names[0], "http://"), strings.HasPrefix(names[0], "https://"):
				return fmt.Errorf("import from a URL is not offered: fetch %s yourself and import the file", names[0])
			case names[0] != "-":
				f, err := os.Open(names[0])
				if err != nil {
					return said(err.Error())
				}
				defer f.Close()
				archive = f
			}
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			return client.ImportImage(c.Context(), archive, name, tag, message, changes, func(r engine.Report) { fmt.Fprintln(a.out, r.Status) })
		},
	}
	c.Flags().StringArrayVarP(&changes, "change", "c", nil, "Apply Dockerfile `instruction` to the created image")
	c.Flags().StringVarP(&message, "message", "m", "", "Set commit message for imported image")
	return c
}
