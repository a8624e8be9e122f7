package engine

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
)

// Create makes a container: POST /containers/create. An empty name lets the daemon choose; an empty platform is the daemon's own.
func (c *Client) Create(ctx context.Context, name, platform string, body CreateRequest) (Created, error) {
	q := url.Values{}
	if platform != "" {
		q.Set("platform", platform)
	}
	if name != "" {
		q.Set("name", name)
	}
	var made Created
	return made, c.get(ctx, "POST", "/containers/create", q, body, &made)
}

// Start starts it: POST /containers/{id}/start.
func (c *Client) Start(ctx context.Context, id string) error {
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/start", nil, nil, nil)
}

// Resize tells the container's terminal its size: POST /containers/{id}/resize.
func (c *Client) Resize(ctx context.Context, id string, rows, cols uint) error {
	q := url.Values{"h": {strconv.FormatUint(uint64(rows), 10)}, "w": {strconv.FormatUint(uint64(cols), 10)}}
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/resize", q, nil, nil)
}

// Kill sends a signal by its name: POST /containers/{id}/kill.
func (c *Client) Kill(ctx context.Context, id, signal string) error {
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/kill", url.Values{"signal": {signal}}, nil, nil)
}

// Stop asks the container to end and kills it after the given seconds; nil leaves the time to the daemon: POST /containers/{id}/stop.
func (c *Client) Stop(ctx context.Context, id string, seconds *int) error {
	q := url.Values{}
	if seconds != nil {
		q.Set("t", strconv.Itoa(*seconds))
	}
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/stop", q, nil, nil)
}

// Remove removes it: DELETE /containers/{id}. force kills a running one; volumes takes its anonymous volumes along.
func (c *Client) Remove(ctx context.Context, id string, force, volumes bool) error {
	q := url.Values{}
	if force {
		q.Set("force", "1")
	}
	if volumes {
		q.Set("v", "1")
	}
	return c.get(ctx, "DELETE", "/containers/"+url.PathEscape(id), q, nil, nil)
}

// List lists the running containers, or all: GET /containers/json.
func (c *Client) List(ctx context.Context, all bool) (list []Container, err error) {
	q := url.Values{}
	if all {
		q.Set("all", "1")
	}
	return list, c.get(ctx, "GET", "/containers/json", q, nil, &list)
}

// Inspect is GET /containers/{id}/json as the daemon sent it.
func (c *Client) Inspect(ctx context.Context, id string) (json.RawMessage, error) {
	var raw json.RawMessage
	return raw, c.get(ctx, "GET", "/containers/"+url.PathEscape(id)+"/json", nil, nil, &raw)
}

// Details is the same, read as far as the client needs it.
func (c *Client) Details(ctx context.Context, id string) (d Details, err error) {
	return d, c.get(ctx, "GET", "/containers/"+url.PathEscape(id)+"/json", nil, nil, &d)
}
