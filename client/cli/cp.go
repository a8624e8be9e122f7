package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"hull/client/engine"
)

// copyOptions are the flags of cp.
type copyOptions struct{ owner, follow, quiet bool }

// cpCommand is `hull cp`, in both directions.
func (a *app) cpCommand() *cobra.Command {
	o := copyOptions{}
	c := &cobra.Command{
		Use:   "cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\thull cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
		Short: "Copy files/folders between a container and the local filesystem", Args: args(2, 2), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, places []string) error {
			if f, ok := a.out.(*os.File); !c.Flags().Changed("quiet") && (!ok || !term.IsTerminal(int(f.Fd()))) {
				o.quiet = true
			}
			return a.copy(c.Context(), places[0], places[1], o)
		},
	}
	c.Flags().BoolVarP(&o.follow, "follow-link", "L", false, "Always follow symbol link in SRC_PATH")
	c.Flags().BoolVarP(&o.owner, "archive", "a", false, "Archive mode (copy all uid/gid information)")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached")
	return c
}

func (a *app) copy(ctx context.Context, from, to string, o copyOptions) error {
	source, sourcePath := copyPlace(from)
	target, targetPath := copyPlace(to)
	switch {
	case sourcePath == "":
		return saidf("source can not be empty")
	case targetPath == "":
		return saidf("destination can not be empty")
	case source != "" && target != "":
		return saidf("copying between containers is not supported")
	case source == "" && target == "":
		return saidf("must specify at least one container source")
	}
	client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	if source != "" {
		return a.copyFrom(ctx, client, source, sourcePath, targetPath, o)
	}
	return a.copyTo(ctx, client, target, sourcePath, targetPath, o)
}

// copyPlace takes CONTAINER:PATH apart. What begins with a slash or a dot, or has no colon, is a path of this machine.
func copyPlace(s string) (container, path string) {
	if filepath.IsAbs(s) || strings.HasPrefix(s, ".") {
		return "", s
	}
	if container, path, ok := strings.Cut(s, ":"); ok {
		return container, path
	}
	return "", s
}

// copyFrom copies a path of a container to this machine, or with - to standard output as a tar.
func (a *app) copyFrom(ctx context.Context, client *engine.Client, id, source, target string, o copyOptions) error {
	rename := ""
	if o.follow {
		if s, err := client.StatPath(ctx, id, source); err == nil && s.LinkTarget != "" {
			rename, source = path.Base(path.Clean(source)), s.LinkTarget
		}
	}
	archive, stat, err := client.CopyFrom(ctx, id, source)
	if err != nil {
		return err
	}
	defer archive.Close()
	if target == "-" {
		_, err := io.Copy(a.out, archive)
		return err
	}
	place, err := placeOnDisk(target)
	if err != nil {
		return err
	}
	src := copySource{base: lastWord(source), dir: stat.Mode.IsDir(), rename: rename}
	dir, renamed, err := src.fit(place)
	if err != nil {
		return err
	}
	count := &countReader{r: archive}
	if err := extract(count, dir, renamed); err != nil {
		return err
	}
	a.copied(o, count.n, target)
	return nil
}

// copyTo copies a file or directory of this machine, or with - a tar from standard input, into a container.
func (a *app) copyTo(ctx context.Context, client *engine.Client, id, source, target string, o copyOptions) error {
	place := copyTarget{path: target, abs: path.Join("/", target)}
	stat, err := client.StatPath(ctx, id, target)
	if err == nil && stat.LinkTarget != "" {
		place.path, place.abs = stat.LinkTarget, stat.LinkTarget
		stat, err = client.StatPath(ctx, id, stat.LinkTarget)
	}
	place.exists, place.dir = err == nil, err == nil && stat.Mode.IsDir() // an error is told by the copy itself
	if source == "-" {
		if !place.dir {
			return saidf("destination %q must be a directory", id+":"+target)
		}
		return client.CopyTo(ctx, id, place.path, a.in, o.owner)
	}
	local, src, err := sourceOnDisk(source, o.follow)
	if err != nil {
		return said(err.Error())
	}
	dir, renamed, err := src.fit(place)
	if err != nil {
		return err
	}
	r, w := io.Pipe()
	count := &countReader{r: r}
	packed := make(chan error, 1)
	go func() {
		err := pack(w, local, src, renamed)
		w.CloseWithError(err)
		packed <- err
	}()
	err = client.CopyTo(ctx, id, dir, count, o.owner)
	r.Close()
	if packing := <-packed; packing != nil && !errors.Is(packing, io.ErrClosedPipe) {
		err = packing // the daemon saw only a body that broke off
	}
	if err != nil {
		return err
	}
	a.copied(o, count.n, id+":"+target)
	return nil
}

func (a *app) copied(o copyOptions, n int64, to string) {
	if !o.quiet {
		fmt.Fprintln(a.err, "Successfully copied", units.HumanSizeWithPrecision(float64(n), 3), "to", to)
	}
}

// countReader counts what is read.
type countReader struct {
	r io.Reader
	n int64
}

func (c *countReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
