package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// loadCommand is `hull load`.
func (a *app) loadCommand() *cobra.Command {
	var input string
	c := &cobra.Command{Use: "load [OPTIONS]", Short: "Load an image from a tar archive or STDIN", Args: args(0, 0), DisableFlagsInUseLine: true}
	c.Flags().StringVarP(&input, "input", "i", "", "Read from tar archive `file`, instead of STDIN")
	c.Flags().BoolP("quiet", "q", false, "Suppress the progress (hull shows none)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		archive := a.in
		if input != "" {
			f, err := os.Open(input)
			if err != nil {
				return err
			}
			defer f.Close()
			archive = f
		} else if term.IsTerminal(int(a.in.Fd())) {
			return errors.New("requested load from stdin, but stdin is empty")
		}
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		return client.Load(c.Context(), archive, func(line string) {
			fmt.Fprintln(a.out, line)
		})
	}
	return c
}
