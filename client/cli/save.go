package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hull/client/engine"
)

// saveCommand is `hull save`.
func (a *app) saveCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "save [OPTIONS] IMAGE [IMAGE...]", Short: "Save one or more images to a tar archive (streamed to STDOUT by default)",
		Args: args(1, -1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			return a.writeArchive(c.Context(), output, "failed to save image: ", func(ctx context.Context, client *engine.Client) (io.ReadCloser, error) {
				return client.SaveImages(ctx, names)
			})
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "Write to a `file`, instead of STDOUT")
	return c
}

// exportCommand is `hull export`.
func (a *app) exportCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "export [OPTIONS] CONTAINER", Short: "Export a container's filesystem as a tar archive", Args: args(1, 1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			return a.writeArchive(c.Context(), output, "failed to export container: ", func(ctx context.Context, client *engine.Client) (io.ReadCloser, error) {
				return client.Export(ctx, names[0])
			})
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "Write to a `file`, instead of STDOUT")
	return c
}

// writeArchive writes what open gives to the file, or to standard output if that is no terminal. The file has its name when it is whole.
func (a *app) writeArchive(ctx context.Context, output, what string, open func(context.Context, *engine.Client) (io.ReadCloser, error)) error {
	if f, ok := a.out.(*os.File); ok && output == "" && term.IsTerminal(int(f.Fd())) {
		return errors.New("cowardly refusing to save to a terminal. Use the -o flag or redirect")
	}
	if output != "" {
		if err := checkOutput(output); err != nil {
			return saidf("%s%v", what, err)
		}
	}
	client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	archive, err := open(ctx, client)
	if err != nil {
		return err
	}
	defer archive.Close()
	if output == "" {
		_, err := io.Copy(a.out, archive)
		return err
	}
	return writeWhole(output, archive)
}

// checkOutput refuses a place where no file can be, before the daemon works for it.
func checkOutput(name string) error {
	dir := filepath.Dir(filepath.Clean(name))
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("invalid output path: %w", err)
	}
	info, err := os.Stat(name)
	if err == nil && (info.IsDir() || info.Mode()&os.ModeDevice != 0) {
		return fmt.Errorf("invalid output path: %q must be a directory or a regular file", name)
	}
	return nil
}

// writeWhole writes a file beside its place, and gives it its name last: an interrupted copy leaves what was there before.
func writeWhole(name string, r io.Reader) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".tmp-"+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
