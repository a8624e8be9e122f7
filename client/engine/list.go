package engine

import (
	"context"
	"net/url"
	"strconv"
)

// ListOptions select containers.
type ListOptions struct {
	All     bool // not only running ones
	Size    bool // with their sizes, which the daemon has to count
	Limit   int  // the newest only; 0 for all
	Filters Filters
}

// List lists containers: GET /containers/json.
func (c *Client) List(ctx context.Context, o ListOptions) (list []Container, err error) {
	q := url.Values{}
	if o.All {
		q.Set("all", "1")
	}
	if o.Size {
		q.Set("size", "1")
	}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	o.Filters.add(q)
	return list, c.get(ctx, "GET", "/containers/json", q, nil, &list)
}
