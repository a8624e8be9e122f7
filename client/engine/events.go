package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
)

// EventOptions select events.
type EventOptions struct {
	Since, Until string // Unix time as seconds[.nanoseconds]; empty for from now on, and for ever
	Filters      Filters
}

// Events hands over what happens, each event as the daemon sent it, until the asked-for time is over or each returns an error: GET /events.
func (c *Client) Events(ctx context.Context, o EventOptions, each func(json.RawMessage) error) error {
	q := url.Values{}
	if o.Since != "" {
		q.Set("since", o.Since)
	}
	if o.Until != "" {
		q.Set("until", o.Until)
	}
	o.Filters.add(q)
	resp, err := c.call(ctx, "GET", "/events", q, nil)
	if err != nil {
		return err
	}
	defer resp.Close()
	stream := json.NewDecoder(resp.body)
	for {
		var one json.RawMessage
		if err := stream.Decode(&one); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(one); err != nil {
			return err
		}
	}
}
