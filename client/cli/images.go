package cli

import (
	"fmt"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"hull/client/engine"
)

// imagesCommand is `hull images`, and under the name ls `hull image ls`.
func (a *app) imagesCommand(name string) *cobra.Command {
	var quiet, full bool
	c := &cobra.Command{
		Use: name + " [OPTIONS]", Short: "List images", DisableFlagsInUseLine: true,
		Args: func(c *cobra.Command, got []string) error {
			if len(got) > 0 {
				return fmt.Errorf("listing the images of one repository is not offered yet: %s", got[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			list, err := client.Images(c.Context())
			if err != nil {
				return err
			}
			a.printImages(list, quiet, full)
			return nil
		},
	}
	if name == "ls" {
		c.Aliases = []string{"list"}
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "Only show image IDs")
	c.Flags().BoolVar(&full, "no-trunc", false, "Don't truncate output")
	return c
}

func (a *app) printImages(list []engine.Image, quiet, full bool) {
	t := table{{"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"}}
	for _, i := range list {
		id := i.ID
		if !full {
			id = shortID(id)
		}
		names := i.RepoTags
		if len(names) == 0 {
			names = []string{"<none>:<none>"}
		}
		for _, name := range names {
			if quiet {
				fmt.Fprintln(a.out, id)
				continue
			}
			at := strings.LastIndexByte(name, ':')
			t = append(t, []string{name[:max(at, 0)], name[at+1:], id, ago(i.Created), units.HumanSizeWithPrecision(float64(i.Size), 3)})
		}
	}
	if !quiet {
		t.print(a.out)
	}
}
