package engine

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// An ExecRequest is the body of POST /containers/{id}/exec: definition ExecConfig.
type ExecRequest struct {
	AttachStdin  bool
	AttachStdout bool
	AttachStderr bool
	Tty          bool
	ConsoleSize  *[2]uint `json:",omitempty"` // rows, columns; from API 1.42 on
	DetachKeys   string   `json:",omitempty"`
	Env          []string
	Cmd          []string
	Privileged   bool
	User         string
	WorkingDir   string
}

// execStart is the body of POST /exec/{id}/start.
type execStart struct {
	Detach      bool
	Tty         bool
	ConsoleSize *[2]uint `json:",omitempty"`
}

// An ExecState is what the client needs of GET /exec/{id}/json.
type ExecState struct {
	Running  bool
	ExitCode *int
}

// CreateExec notes down a process for the container and returns its id: POST /containers/{id}/exec.
func (c *Client) CreateExec(ctx context.Context, container string, body ExecRequest) (id string, err error) {
	if less(c.version, "1.42") {
		body.ConsoleSize = nil
	}
	var made struct {
		ID string `json:"Id"`
	}
	return made.ID, c.get(ctx, "POST", "/containers/"+url.PathEscape(container)+"/exec", nil, body, &made)
}

// StartExec starts it and takes over the connection to its streams: POST /exec/{id}/start.
func (c *Client) StartExec(ctx context.Context, id string, tty bool, size *[2]uint) (*Stream, error) {
	if less(c.version, "1.42") {
		size = nil
	}
	body, err := json.Marshal(execStart{Tty: tty, ConsoleSize: size})
	if err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, request{
		method: "POST", target: c.target("/exec/"+url.PathEscape(id)+"/start", nil), upgrade: true,
		kind: "application/json", body: strings.NewReader(string(body)), length: int64(len(body)),
	})
	if err != nil {
		return nil, err
	}
	if resp.status != 101 && resp.status != 200 {
		defer resp.Close()
		return nil, apiError(resp)
	}
	return &Stream{conn: resp.conn, buf: resp.buf, raw: tty}, nil
}

// DetachExec starts it and leaves it alone.
func (c *Client) DetachExec(ctx context.Context, id string, tty bool, size *[2]uint) error {
	if less(c.version, "1.42") {
		size = nil
	}
	return c.get(ctx, "POST", "/exec/"+url.PathEscape(id)+"/start", nil, execStart{Detach: true, Tty: tty, ConsoleSize: size}, nil)
}

// ResizeExec tells its terminal its size: POST /exec/{id}/resize.
func (c *Client) ResizeExec(ctx context.Context, id string, rows, cols uint) error {
	q := url.Values{"h": {strconv.FormatUint(uint64(rows), 10)}, "w": {strconv.FormatUint(uint64(cols), 10)}}
	return c.get(ctx, "POST", "/exec/"+url.PathEscape(id)+"/resize", q, nil, nil)
}

// InspectExec is GET /exec/{id}/json.
func (c *Client) InspectExec(ctx context.Context, id string) (s ExecState, err error) {
	return s, c.get(ctx, "GET", "/exec/"+url.PathEscape(id)+"/json", nil, nil, &s)
}
