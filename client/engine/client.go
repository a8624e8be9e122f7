package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"hull/stages"
	"hull/stages/instance"
)

// The Engine API versions this client speaks: 1.44 where the daemon has it, and down to 1.41, so that Debian's dockerd 20.10 fits.
const (
	MaxAPI = "1.44"
	MinAPI = "1.41"
)

// maxJSON limits an answer that is read into memory as a whole.
const maxJSON = 64 << 20

// A Client talks to one daemon. Make it with New; Ping first: it settles the version.
type Client struct {
	Socket  string // of the daemon
	version string // settled by Ping; empty before
}

// New makes a client of the daemon behind the UNIX socket. It does not connect.
func New(socket string) *Client { return &Client{Socket: socket} }

// Version is the API version that Ping settled on.
func (c *Client) Version() string { return c.version }

// An APIError is the daemon's answer that says no: a status of 400 or more, and the "message" of its body.
type APIError struct {
	Status  int
	Message string
}

func (e *APIError) Error() string { return "Error response from daemon: " + e.Message }

// IsNotFound reports whether the daemon answered 404.
func IsNotFound(err error) bool {
	var e *APIError
	return errors.As(err, &e) && e.Status == 404
}

// Ping asks for the daemon's API version and settles on the lower of its and ours. The question is HEAD /_ping, without a version in
// the path; a daemon that does not know HEAD there is asked by GET.
func (c *Client) Ping(ctx context.Context) error {
	resp, err := c.send(ctx, request{method: "HEAD", target: "/_ping"})
	if err != nil {
		return err
	}
	resp.Close()
	if resp.status != 200 {
		if resp, err = c.send(ctx, request{method: "GET", target: "/_ping"}); err != nil {
			return err
		}
		defer resp.Close()
		if resp.status != 200 {
			return apiError(resp)
		}
	}
	daemon := resp.header["api-version"]
	c.version = MaxAPI
	if less(daemon, MaxAPI) {
		c.version = daemon
	}
	if less(daemon, MinAPI) {
		return &stages.Error{
			Kind: stages.Unsupported, Thing: c.Socket, Err: fmt.Errorf("the daemon speaks Engine API %q at most, hull speaks %s and later", daemon, MinAPI),
			Hint: "use a daemon of docker 20.10 or later",
		}
	}
	return nil
}

// less compares API versions, "1.9" < "1.10". What is no version is less than any.
func less(a, b string) bool {
	number := func(v string) int {
		major, minor, ok := strings.Cut(v, ".")
		x, err1 := strconv.Atoi(major)
		y, err2 := strconv.Atoi(minor)
		if !ok || err1 != nil || err2 != nil {
			return -1
		}
		return x*1000 + y
	}
	return number(a) < number(b)
}

// send dials and sends one request. Every error of the connection itself names the socket and the way out.
func (c *Client) send(ctx context.Context, req request) (*response, error) {
	// connect(2) on the daemon's socket, anew for each request. ENOENT and ECONNREFUSED mean that nobody listens; EACCES that the socket
	// is not ours to use: unix(7) wants write permission on it.
	conn, err := instance.Dial(ctx, "unix", c.Socket)
	if err == nil {
		var resp *response
		if resp, err = roundTrip(ctx, conn, req); err == nil {
			return resp, nil
		}
	}
	return nil, unreachable(c.Socket, err)
}

func unreachable(socket string, err error) error {
	e := &stages.Error{Kind: stages.Unavailable, Thing: socket, Err: fmt.Errorf("cannot reach the daemon: %w", cause(err))}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Hint = stages.Denied, "run as root, or as a member of the group that owns "+filepath.Dir(socket)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		e.Hint = "start it with: hull up"
	}
	return e
}

// cause is the errno behind err, if there is one: the socket's name is printed anyway.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// target is the versioned path with its query.
func (c *Client) target(path string, query url.Values) string {
	t := "/v" + c.version + path
	if q := query.Encode(); q != "" {
		t += "?" + q
	}
	return t
}

// call sends a request with a JSON body (or none) and returns the answer, or the daemon's error.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body any) (*response, error) {
	req := request{method: method, target: c.target(path, query)}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		req.kind, req.body, req.length = "application/json", strings.NewReader(string(b)), int64(len(b))
	}
	resp, err := c.send(ctx, req)
	if err != nil {
		return nil, err
	}
	if resp.status >= 400 {
		defer resp.Close()
		return nil, apiError(resp)
	}
	return resp, nil
}

// get is a call whose whole answer is wanted: as it is if into is a *json.RawMessage, decoded otherwise, dropped if it is nil.
func (c *Client) get(ctx context.Context, method, path string, query url.Values, body, into any) error {
	resp, err := c.call(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer resp.Close()
	return decode(resp.body, into, method+" "+path)
}

func decode(body io.Reader, into any, what string) error {
	if into == nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(body, maxJSON+1))
	if err == nil && len(text) > maxJSON {
		err = fmt.Errorf("longer than %d bytes", maxJSON)
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return &stages.Error{Kind: stages.Internal, Thing: what, Err: fmt.Errorf("unreadable answer: %w", err)}
	}
	return nil
}

// apiError reads the error body: {"message": "…"}, or whatever text stands there.
func apiError(resp *response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.body, 1<<20))
	var body struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &body) != nil || body.Message == "" {
		body.Message = strings.TrimSpace(string(text))
	}
	if body.Message == "" {
		body.Message = "status " + strconv.Itoa(resp.status)
	}
	return &APIError{Status: resp.status, Message: body.Message}
}
