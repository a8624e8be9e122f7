package engine

import (
	"context"
	"net/url"
)

// Pause freezes the container's processes: POST /containers/{id}/pause.
func (c *Client) Pause(ctx context.Context, id string) error {
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/pause", nil, nil, nil)
}

// Unpause lets them go on: POST /containers/{id}/unpause.
func (c *Client) Unpause(ctx context.Context, id string) error {
	return c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/unpause", nil, nil, nil)
}

// A Top is the answer to GET /containers/{id}/top: definition ContainerTopResponse.
type Top struct {
	Titles    []string
	Processes [][]string
}

// Top lists the container's processes, with the arguments of ps(1).
func (c *Client) Top(ctx context.Context, id, arguments string) (t Top, err error) {
	q := url.Values{}
	if arguments != "" {
		q.Set("ps_args", arguments)
	}
	return t, c.get(ctx, "GET", "/containers/"+url.PathEscape(id)+"/top", q, nil, &t)
}

// An UpdateRequest is the body of POST /containers/{id}/update.
type UpdateRequest struct {
	Memory    int64  `json:",omitempty"`
	NanoCpus  int64  `json:",omitempty"`
	PidsLimit *int64 `json:",omitempty"`
	Resources
	CPURealtimePeriod  int64 `json:"CpuRealtimePeriod,omitempty"`
	CPURealtimeRuntime int64 `json:"CpuRealtimeRuntime,omitempty"`
	RestartPolicy      RestartPolicy
}

// Update changes limits of the container.
func (c *Client) Update(ctx context.Context, id string, body UpdateRequest) (warnings []string, err error) {
	var answer struct{ Warnings []string }
	return answer.Warnings, c.get(ctx, "POST", "/containers/"+url.PathEscape(id)+"/update", nil, body, &answer)
}
