package engine

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/url"

	"github.com/moby/moby/api/pkg/stdcopy"
)

// A Stream is a connection that the daemon has handed over: bytes to the container's input, its output back.
type Stream struct {
	conn *net.UnixConn
	buf  *bufio.Reader // may hold the first bytes of output already
	raw  bool
}

// AttachOptions say which of a container's streams are wanted, and how its output comes: a terminal's as it is, other output in frames that name
// stdout or stderr (the answer's Content-Type says so too, but only from API 1.42 on).
type AttachOptions struct {
	Stdin, Stdout, Stderr bool
	TTY                   bool
	DetachKeys            string // for a daemon that watches for them itself; "" for its own
}

// Attach takes over a connection to the container's streams: POST /containers/{id}/attach.
func (c *Client) Attach(ctx context.Context, id string, o AttachOptions) (*Stream, error) {
	q := url.Values{"stream": {"1"}}
	for name, on := range map[string]bool{"stdin": o.Stdin, "stdout": o.Stdout, "stderr": o.Stderr} {
		if on {
			q.Set(name, "1")
		}
	}
	if o.DetachKeys != "" {
		q.Set("detachKeys", o.DetachKeys)
	}
	resp, err := c.send(ctx, request{method: "POST", target: c.target("/containers/"+url.PathEscape(id)+"/attach", q), upgrade: true})
	if err != nil {
		return nil, err
	}
	if resp.status != 101 && resp.status != 200 { // 200: a daemon that hands over without an upgrade
		defer resp.Close()
		return nil, apiError(resp)
	}
	return &Stream{conn: resp.conn, buf: resp.buf, raw: o.TTY}, nil
}

// Write sends bytes to the container's input.
func (s *Stream) Write(p []byte) (int, error) { return s.conn.Write(p) }

// CloseWrite shuts the sending half down (shutdown(2), SHUT_WR): the container's input ends, its output goes on.
func (s *Stream) CloseWrite() error { return s.conn.CloseWrite() }

// Close gives the connection up; the container runs on.
func (s *Stream) Close() error { return s.conn.Close() }

// CopyOutput copies the container's output until it ends. Both halves of a terminal go to stdout.
func (s *Stream) CopyOutput(stdout, stderr io.Writer) error {
	return copyOutput(s.buf, s.raw, stdout, stderr)
}

func copyOutput(r io.Reader, raw bool, stdout, stderr io.Writer) error {
	var err error
	if raw {
		_, err = io.Copy(stdout, r)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, r)
	}
	return err
}
