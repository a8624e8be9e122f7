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

// historyOptions are the flags of history.
type historyOptions struct {
	human, full, quiet bool
	format             string
}

// historyCommand is `hull history`.
func (a *app) historyCommand() *cobra.Command {
	o := historyOptions{}
	c := &cobra.Command{
		Use: "history [OPTIONS] IMAGE", Short: "Show the history of an image", Args: args(1, 1), DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, names []string) error {
			client, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			steps, err := client.History(c.Context(), names[0])
			if err != nil {
				return err
			}
			return a.printHistory(steps, o)
		},
	}
	c.Flags().BoolVar(&o.human, "human", true, "Print sizes and dates in human readable format") // -H is the daemon's socket, before every verb
	c.Flags().BoolVar(&o.full, "no-trunc", false, "Don't truncate output")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Only show image IDs")
	c.Flags().StringVar(&o.format, "format", "", formatHelp)
	return c
}

var historyHeads = map[string]string{
	"ID": "IMAGE", "CreatedAt": "CREATED AT", "CreatedSince": "CREATED", "CreatedBy": "CREATED BY", "Size": "SIZE", "Comment": "COMMENT",
}

func (a *app) printHistory(steps []engine.HistoryStep, o historyOptions) error {
	l := format.List{Heads: historyHeads, Table: `{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`}
	if !o.human {
		l.Table = strings.Replace(l.Table, ".CreatedSince", ".CreatedAt", 1)
	}
	if o.quiet {
		l.Table = "{{.ID}}"
		if o.format == "" || o.format == "table" {
			o.format = "{{.ID}}"
		}
	}
	rows := make([]format.Row, len(steps))
	for i, s := range steps {
		id, by, size := s.ID, strings.ReplaceAll(s.CreatedBy, "\t", " "), strconv.FormatInt(s.Size, 10)
		if !o.full {
			id, by = shortID(id), ellipsis(by, 45)
		}
		if o.human {
			size = units.HumanSizeWithPrecision(float64(s.Size), 3)
		}
		since := ""
		if s.Created > 0 {
			since = ago(s.Created)
		}
		rows[i] = format.Row{Type: "history", Values: map[string]any{
			"ID": id, "CreatedAt": time.Unix(s.Created, 0).Format(time.RFC3339), "CreatedSince": since, "CreatedBy": by, "Size": size, "Comment": s.Comment,
		}}
	}
	return printList(a.out, l, o.format, rows)
}
