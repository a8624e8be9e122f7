package ttrpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"hull/shim/wire"
)

// A Client makes calls over one connection, one after the other: it has no goroutine of its own. After an error that is no [Status] the
// connection is in an unknown state, and closed.
type Client struct {
	mu   sync.Mutex
	conn net.Conn
	r    *bufio.Reader
	next uint32 // the next call's stream
}

// NewClient makes a client of a connection, which is its own from now on.
func NewClient(conn net.Conn) *Client {
	return &Client{conn: conn, r: bufio.NewReaderSize(conn, 512), next: 1}
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Call makes a call and waits for its answer, at most as long as ctx lasts; the other side is told how long that is.
func (c *Client) Call(ctx context.Context, service, method string, metadata []*wire.KeyValue, req, resp wire.Message) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	request := &wire.Request{Service: service, Method: method, Payload: wire.Marshal(req), Metadata: metadata}
	deadline, ok := ctx.Deadline()
	if ok {
		request.TimeoutNano = max(1, int64(time.Until(deadline)))
	}
	c.conn.SetDeadline(deadline) // the zero time is none
	defer context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })()

	status, payload, err := c.exchange(request)
	if err != nil {
		c.conn.Close()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if err = ctx.Err(); err == nil {
				err = context.DeadlineExceeded // the connection's timer was first
			}
		}
		return fmt.Errorf("%s: %w", method, err)
	}
	if status != nil && status.Code != 0 {
		return &Status{status.Code, status.Message}
	}
	return wire.Unmarshal(payload, resp)
}

// exchange sends the request and reads its response.
func (c *Client) exchange(request *wire.Request) (*wire.CallStatus, []byte, error) {
	stream := c.next
	c.next += 2
	b, err := frame(stream, typeRequest, request)
	if err != nil {
		return &wire.CallStatus{Code: ResourceExhausted, Message: err.Error()}, nil, nil
	}
	if _, err := c.conn.Write(b); err != nil {
		return nil, nil, err
	}
	h, body, err := readFrame(c.r)
	switch {
	case err != nil:
		return nil, nil, err
	case h.kind != typeResponse || h.stream != stream:
		return nil, nil, errors.New("an answer to no question")
	}
	var resp wire.Response
	err = wire.Unmarshal(body, &resp)
	return resp.Status, resp.Payload, err
}
