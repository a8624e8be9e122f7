package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/client/format"
)

// imagesOptions are the flags of images.
type imagesOptions struct {
	all, quiet, full, digests bool
	filters                   engine.Filters
	format                    string
}

// imagesCommand is `hull images`, and under the name ls `hull image ls`.
func (a *app) imagesCommand(name string) *cobra.Command {
	o := imagesOptions{filters: engine.Filters{}}
	c := &cobra.Command{
		Use: name + " [OPTIONS] [REPOSITORY[:TAG]]", Short: "List images", DisableFlagsInUseLine: true, Args: args(0, 1),
		RunE: func(c *cobra.Command, names []string) error {
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			if len(names) == 1 {
				o.filters["reference"] = append(o.filters["reference"], names[0])
			}
			list, err := client.Images(c.Context(), o.all, o.filters)
			if err != nil {
				return err
			}
			return a.printImages(list, o)
		},
	}
	if name == "ls" {
		c.Aliases = []string{"list"}
	}
	c.Flags().BoolVarP(&o.all, "all", "a", false, "Show all images (default hides intermediate images)")
	c.Flags().BoolVar(&o.digests, "digests", false, "Show digests")
	c.Flags().VarP(filterValue{&o.filters}, "filter", "f", "Filter output based on conditions provided")
	c.Flags().StringVar(&o.format, "format", "", formatHelp)
	c.Flags().BoolVar(&o.full, "no-trunc", false, "Don't truncate output")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Only show image IDs")
	return c
}

// imageHeads are the columns of images by their names in templates.
var imageHeads = map[string]string{
	"ID": "IMAGE ID", "Repository": "REPOSITORY", "Tag": "TAG", "Digest": "DIGEST", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT", "Size": "SIZE",
	"Containers": "CONTAINERS", "VirtualSize": "SIZE", "SharedSize": "SHARED SIZE", "UniqueSize": "UNIQUE SIZE",
}

func (a *app) printImages(list []engine.Image, o imagesOptions) error {
	l := format.List{Heads: imageHeads, Table: `{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`}
	l.Raw = "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n"
	if o.digests {
		l.Table = strings.Replace(l.Table, `\t{{.ID}}`, `\t{{.Digest}}\t{{.ID}}`, 1)
		l.Raw = strings.Replace(l.Raw, "image_id", "digest: {{.Digest}}\nimage_id", 1)
	}
	if o.quiet {
		if l.Raw = "image_id: {{.ID}}"; o.format == "" || o.format == "table" {
			o.format = "{{.ID}}"
		}
	}
	byDigest := o.digests || strings.Contains(o.format, ".Digest")
	var rows []format.Row
	for _, i := range list {
		for _, n := range imageNames(i, byDigest) {
			rows = append(rows, o.row(i, n))
		}
	}
	return printList(a.out, l, o.format, rows)
}

// A shownName is one line's worth of an image's names.
type shownName struct{ repository, tag, digest string }

const none = "<none>"

// imageNames are the lines of an image: one for each tag; with digests for each digest of the tag's repository; and for a repository that
// has a digest only.
func imageNames(i engine.Image, byDigest bool) (names []shownName) {
	digests := map[string][]string{}
	for _, ref := range i.RepoDigests {
		repository, digest, _ := strings.Cut(ref, "@")
		digests[repository] = append(digests[repository], digest)
	}
	tagged := map[string]bool{}
	for _, ref := range i.RepoTags {
		at := strings.LastIndexByte(ref, ':')
		if at < 0 || ref == none+":"+none {
			continue
		}
		n := shownName{ref[:at], ref[at+1:], none}
		tagged[n.repository] = true
		if !byDigest || len(digests[n.repository]) == 0 {
			names = append(names, n)
			continue
		}
		for _, n.digest = range digests[n.repository] {
			names = append(names, n)
		}
	}
	for _, ref := range i.RepoDigests {
		if repository, digest, _ := strings.Cut(ref, "@"); !tagged[repository] && repository != none {
			names = append(names, shownName{repository, none, digest})
		}
	}
	if len(names) == 0 {
		names = []shownName{{none, none, none}}
	}
	return names
}

func (o imagesOptions) row(i engine.Image, n shownName) format.Row {
	id := i.ID
	if !o.full {
		id = shortID(id)
	}
	size := units.HumanSizeWithPrecision(float64(i.Size), 3)
	return format.Row{Type: "image", Values: map[string]any{
		"ID": id, "Repository": n.repository, "Tag": n.tag, "Digest": n.digest, "CreatedSince": ago(i.Created), "CreatedAt": time.Unix(i.Created, 0).String(),
		"Size": size, "VirtualSize": size, "Containers": countOr(i.Containers), "SharedSize": "N/A", "UniqueSize": "N/A",
	}}
}

// countOr is a number, or N/A if the daemon did not count.
func countOr(n int64) string {
	if n < 0 {
		return "N/A"
	}
	return strconv.FormatInt(n, 10)
}
