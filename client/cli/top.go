package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// topCommand is `hull top`. Its table has docker's columns for it: at least twenty wide, whatever is in them.
func (a *app) topCommand() *cobra.Command {
	c := &cobra.Command{Use: "top CONTAINER [ps OPTIONS]", Short: "Display the running processes of a container", Args: args(1, -1), DisableFlagsInUseLine: true}
	c.Flags().SetInterspersed(false)
	c.RunE = func(c *cobra.Command, words []string) error {
		client, err := a.connect(c.Context())
		if err != nil {
			return err
		}
		list, err := client.Top(c.Context(), words[0], strings.Join(words[1:], " "))
		if err != nil {
			return err
		}
		rows := append([][]string{list.Titles}, list.Processes...)
		const narrowest, gap = 20, 3
		width := make([]int, len(list.Titles))
		for _, row := range rows {
			for i := range min(len(row), len(width)) {
				width[i] = max(width[i], utf8.RuneCountInString(row[i])+gap, narrowest)
			}
		}
		for _, row := range rows {
			line := ""
			for i, cell := range row {
				if i < len(row)-1 && i < len(width) {
					cell = fmt.Sprintf("%-*s", width[i], cell)
				}
				line += cell
			}
			fmt.Fprintln(a.out, line)
		}
		return nil
	}
	return c
}
