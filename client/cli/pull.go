package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hull/client/engine"
)

// pullCommand is `hull pull`.
func (a *app) pullCommand() *cobra.Command {
	var quiet bool
	var platform string
	c := &cobra.Command{
		Use: "pull [OPTIONS] NAME[:TAG|@DIGEST]", Short: "Download an image from a registry", Args: args(1, 1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			name, err := readName(names[0])
			if err != nil {
				return err
			}
			if platform, err = readPlatform(platform); err != nil {
				return fmt.Errorf("error parsing specified platform: %w", err)
			}
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			if !quiet && name.bare() {
				fmt.Fprintln(a.out, "Using default tag: latest")
			}
			if err := a.pull(c.Context(), client, name, platform, reporter(a.out, quiet)); err != nil {
				return err
			}
			fmt.Fprintln(a.out, name)
			return nil
		},
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "Suppress verbose output")
	c.Flags().StringVar(&platform, "platform", "", "Set platform if server is multi-platform capable")
	return c
}

func (a *app) pull(ctx context.Context, c *engine.Client, name imageName, platform string, show func(engine.Report)) error {
	return c.PullImage(ctx, name.repository(), name.version(), platform, show)
}

// pullImage gets the image that run or create names. The report goes to standard error: standard output is the container's.
func (a *app) pullImage(ctx context.Context, c *engine.Client, o *runOptions) error {
	name, err := readName(o.image)
	if err != nil {
		return err
	}
	return a.pull(ctx, c, name, o.platform, reporter(a.err, o.quiet))
}
