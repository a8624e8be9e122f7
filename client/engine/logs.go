package engine

import (
	"context"
	"io"
	"net/url"
)

// LogOptions are the query of GET /containers/{id}/logs.
type LogOptions struct {
	Follow     bool
	Timestamps bool
	Tail       string // a number of lines, or "all"
	Since      string // Unix time as seconds[.nanoseconds]; empty for all
	Until      string // likewise
	Details    bool
}

// Logs copies the container's log to the two writers: with Follow, until the container ends.
func (c *Client) Logs(ctx context.Context, id string, o LogOptions, stdout, stderr io.Writer) error {
	d, err := c.Details(ctx, id)
	if err != nil {
		return err
	}
	q := url.Values{"stdout": {"1"}, "stderr": {"1"}, "tail": {o.Tail}}
	for name, on := range map[string]bool{"follow": o.Follow, "timestamps": o.Timestamps, "details": o.Details} {
		if on {
			q.Set(name, "1")
		}
	}
	if o.Since != "" {
		q.Set("since", o.Since)
	}
	if o.Until != "" {
		q.Set("until", o.Until)
	}
	resp, err := c.call(ctx, "GET", "/containers/"+url.PathEscape(d.ID)+"/logs", q, nil)
	if err != nil {
		return err
	}
	defer resp.Close()
	return copyOutput(resp.body, d.Config.Tty, stdout, stderr)
}
