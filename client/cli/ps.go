package cli

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"hull/client/engine"
	"hull/client/format"
)

// psOptions are the flags of ps.
type psOptions struct {
	engine.ListOptions
	quiet, full, latest bool
	last                int
	format              string
}

// psCommand is `hull ps`, and under the name ls `hull container ls`.
func (a *app) psCommand(name string) *cobra.Command {
	o := psOptions{}
	c := &cobra.Command{
		Use: name + " [OPTIONS]", Short: "List containers", Args: args(0, 0), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			if o.latest && o.last == -1 {
				o.last = 1
			}
			o.Limit = max(o.last, 0)
			o.Size = o.Size || strings.Contains(o.format, ".Size")
			list, err := client.List(c.Context(), o.ListOptions)
			if err != nil {
				return err
			}
			return a.printContainers(list, o)
		},
	}
	if name == "ls" {
		c.Aliases = []string{"list", "ps"}
	}
	c.Flags().BoolVarP(&o.All, "all", "a", false, "Show all containers (default shows just running)")
	c.Flags().VarP(filterValue{&o.Filters}, "filter", "f", "Filter output based on conditions provided")
	c.Flags().StringVar(&o.format, "format", "", formatHelp)
	c.Flags().IntVarP(&o.last, "last", "n", -1, "Show n last created containers (includes all states)")
	c.Flags().BoolVarP(&o.latest, "latest", "l", false, "Show the latest created container (includes all states)")
	c.Flags().BoolVar(&o.full, "no-trunc", false, "Don't truncate output")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Only display container IDs")
	c.Flags().BoolVarP(&o.Size, "size", "s", false, "Display total file sizes")
	return c
}

// formatHelp and formatOneHelp explain --format: of lists, and of single objects.
const (
	formatHelp = "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n" +
		"'table TEMPLATE':   Print output in table format using the given Go template\n" + formatOne
	formatOneHelp = "Format output using a custom template:\n" + formatOne
	formatOne     = "'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template."
)

// containerHeads are the columns of ps by their names in templates.
var containerHeads = map[string]string{
	"ID": "CONTAINER ID", "Names": "NAMES", "Image": "IMAGE", "Command": "COMMAND", "CreatedAt": "CREATED AT", "RunningFor": "CREATED", "Ports": "PORTS",
	"State": "STATE", "Status": "STATUS", "Size": "SIZE", "Labels": "LABELS", "Mounts": "MOUNTS", "LocalVolumes": "LOCAL VOLUMES", "Networks": "NETWORKS",
	"Platform": "PLATFORM",
}

func (a *app) printContainers(list []engine.Container, o psOptions) error {
	if o.quiet {
		if o.format != "" {
			fmt.Fprintln(a.err, "WARNING: Ignoring custom format, because both --format and --quiet are set.")
		}
		for _, c := range list {
			fmt.Fprintln(a.out, o.id(c.ID))
		}
		return nil
	}
	l := format.List{
		Heads: containerHeads, Table: `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}`,
		Raw: "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{.State}}\nstatus: {{.Status}}\n" +
			"names: {{.Names}}\nlabels: {{.Labels}}\nports: {{.Ports}}\n",
	}
	if o.Size {
		l.Table += `\t{{.Size}}`
		l.Raw += "size: {{.Size}}\n"
	}
	rows := make([]format.Row, len(list))
	for i, c := range list {
		rows[i] = o.row(c)
	}
	return printList(a.out, l, o.format, rows)
}

func (o psOptions) id(id string) string {
	if o.full {
		return id
	}
	return shortID(id)
}

func (o psOptions) row(c engine.Container) format.Row {
	var names, labels, mounts, networks []string
	for _, name := range c.Names {
		if name = strings.TrimPrefix(name, "/"); o.full || !strings.Contains(name, "/") { // with a slash it is a link's
			names = append(names, name)
		}
	}
	for k, v := range c.Labels {
		labels = append(labels, k+"="+v)
	}
	volumes := 0
	for _, m := range c.Mounts {
		name := m.Name
		if name == "" {
			name = m.Source
		}
		if !o.full {
			name = ellipsis(name, 15)
		}
		mounts = append(mounts, name)
		if m.Driver == "local" {
			volumes++
		}
	}
	for name := range c.NetworkSettings.Networks {
		networks = append(networks, name)
	}
	sort.Strings(labels)
	sort.Strings(networks)
	image, command := c.Image, c.Command
	switch {
	case image == "":
		image = "<no image>"
	case !o.full && shortID(image) == shortID(c.ImageID):
		image = shortID(image)
	}
	if !o.full {
		command = ellipsis(command, 20)
	}
	size := units.HumanSizeWithPrecision(float64(c.SizeRw), 3)
	if c.SizeRootFs > 0 {
		size += fmt.Sprintf(" (virtual %s)", units.HumanSizeWithPrecision(float64(c.SizeRootFs), 3))
	}
	return format.Row{
		Type: "container",
		Values: map[string]any{
			"ID": o.id(c.ID), "Names": strings.Join(names, ","), "Image": image, "Command": strconv.Quote(command),
			"CreatedAt": time.Unix(c.Created, 0).String(), "RunningFor": ago(c.Created), "Ports": ports(c.Ports), "State": c.State, "Status": c.Status,
			"Size": size, "Labels": strings.Join(labels, ","), "Mounts": strings.Join(mounts, ","), "LocalVolumes": strconv.Itoa(volumes),
			"Networks": strings.Join(networks, ","), "Platform": nil,
		},
		Calls: map[string]func(string) string{"Label": func(key string) string { return c.Labels[key] }},
	}
}

// shortID is the form in which people read an id: twelve digits, without the algorithm.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}

// ellipsis cuts s to n characters, the last of which then is "…".
func ellipsis(s string, n int) string { return format.Ellipsis(s, n) }

func ago(unix int64) string {
	return units.HumanDuration(time.Since(time.Unix(unix, 0))) + " ago"
}

func ports(list []engine.Port) string {
	var out []string
	for _, p := range list {
		s := fmt.Sprintf("%d/%s", p.PrivatePort, p.Type)
		if p.PublicPort != 0 {
			s = fmt.Sprintf("%s:%d->%s", p.IP, p.PublicPort, s)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}
