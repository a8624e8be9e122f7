package engine

import (
	"context"
	"net/url"
	"strconv"
)

// Kill sends a signal by its name; "" is SIGKILL: POST /containers/{id}/kill.
func (c *Client) Kill(ctx context.Context, id, signal string) error {
	q := url.Values{}
	if signal != "" {
		q.Set("signal", signal)
	}
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/kill", q, nil, nil)
}

// StopOptions say how a container is made to end.
type StopOptions struct {
	Signal  string // "" for the container's own
	Seconds *int   // until it is killed; nil leaves the time to the daemon, a negative one is for ever

	Shutdown bool // for the instance's sake: a restart policy that holds unless the user stops still holds (hulld only)
}

func (o StopOptions) query() url.Values {
	q := url.Values{}
	if o.Signal != "" {
		q.Set("signal", o.Signal)
	}
	if o.Seconds != nil {
		q.Set("t", strconv.Itoa(*o.Seconds))
	}
	if o.Shutdown {
		q.Set("hull.shutdown", "1")
	}
	return q
}

// Stop asks the container to end and kills it after a time: POST /containers/{id}/stop.
func (c *Client) Stop(ctx context.Context, id string, o StopOptions) error {
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/stop", o.query(), nil, nil)
}

// Restart stops the container, if it runs, and starts it: POST /containers/{id}/restart.
func (c *Client) Restart(ctx context.Context, id string, o StopOptions) error {
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/restart", o.query(), nil, nil)
}

// Rename gives the container another name: POST /containers/{id}/rename.
func (c *Client) Rename(ctx context.Context, id, name string) error {
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/rename", url.Values{"name": {name}}, nil, nil)
}

// Pruned is what prune has removed.
type Pruned struct {
	ContainersDeleted []string
	SpaceReclaimed    uint64 // bytes
}

// PruneContainers removes the containers that do not run: POST /containers/prune.
func (c *Client) PruneContainers(ctx context.Context, f Filters) (gone Pruned, err error) {
	q := url.Values{}
	f.add(q)
	return gone, c.get(ctx, "POST", "/containers/prune", q, nil, &gone)
}
