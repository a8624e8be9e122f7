package ttrpc

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"hull/shim/wire"

	"golang.org/x/sys/unix"
)

// A Handler answers one method's calls. Its context ends with the caller's patience, or with its connection.
type Handler func(ctx context.Context, payload []byte) (wire.Message, error)

// Method makes a Handler of a function from one message to another.
func Method[Req, Resp any, PReq interface {
	*Req
	wire.Message
}, PResp interface {
	*Resp
	wire.Message
}](call func(context.Context, PReq) (PResp, error)) Handler {
	return func(ctx context.Context, payload []byte) (wire.Message, error) {
		req := PReq(new(Req))
		if err := wire.Unmarshal(payload, req); err != nil {
			return nil, &Status{InvalidArgument, err.Error()}
		}
		resp, err := call(ctx, req)
		if err != nil {
			return nil, err
		}
		return resp, nil
	}
}

// A Server serves calls: each in a goroutine of its own, so that a Wait for a year holds up nobody.
type Server struct {
	Services map[string]map[string]Handler // by the service's full name and the method's
	Answered func()                        // called after each answer has left; may be nil

	mu       sync.Mutex
	listener *net.UnixListener
	conns    map[*conn]struct{}
	leaving  bool
	empty    chan struct{} // closed when leaving and the last connection is closed
}

// Serve accepts connections until Shutdown; then, and only then, its error is nil.
func (s *Server) Serve(l *net.UnixListener) error {
	s.mu.Lock()
	if s.leaving {
		s.mu.Unlock()
		return l.Close()
	}
	s.listener, s.conns = l, map[*conn]struct{}{}
	s.mu.Unlock()
	for {
		c, err := l.AcceptUnix()
		switch {
		case err == nil:
			s.take(c)
		case s.isLeaving():
			return nil
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
			time.Sleep(50 * time.Millisecond) // accept(2): it may pass, and would be asked for again at once
		default:
			return err
		}
	}
}

func (s *Server) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving
}

// take serves a new connection, if its peer may have one.
func (s *Server) take(u *net.UnixConn) {
	if err := checkPeer(u); err != nil {
		slog.Warn("ttrpc: connection refused", "err", err)
		u.Close()
		return
	}
	c := &conn{server: s, net: u}
	s.mu.Lock()
	if s.leaving {
		s.mu.Unlock()
		u.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	go c.serve()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.leaving && len(s.conns) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// Shutdown lets no more calls in, waits until the answers of those that are running have left, and closes the connections; when ctx ends
// it closes them whatever runs. It may be called once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.leaving = true
	empty := make(chan struct{})
	if s.empty = empty; len(s.conns) == 0 {
		close(empty)
		s.empty = nil
	}
	if s.listener != nil {
		s.listener.Close()
	}
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.leave()
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		for _, c := range conns {
			c.net.Close()
		}
		return ctx.Err()
	}
}

// maxCalls bounds the calls of one connection that run at the same time.
const maxCalls = 1024

// A conn is one connection. Whoever answers a call writes to it.
type conn struct {
	server *Server
	net    *net.UnixConn
	last   uint32 // the highest stream so far; the reader's

	writing sync.Mutex

	mu      sync.Mutex
	running int
	leaving bool
}

// serve reads requests until the peer goes or the server ends.
func (c *conn) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	defer c.server.forget(c)
	defer c.net.Close()
	defer cancel() // what still runs has nobody to answer
	r := bufio.NewReaderSize(c.net, 1024)
	for {
		h, body, err := readFrame(r)
		if errors.Is(err, errTooLong) {
			c.answer(h.stream, nil, &Status{ResourceExhausted, err.Error()})
			continue
		}
		if err != nil {
			return
		}
		if err := c.request(ctx, h, body); err != nil {
			c.answer(h.stream, nil, err)
		}
	}
}

// request starts a call. An error is its answer.
func (c *conn) request(ctx context.Context, h header, body []byte) error {
	switch {
	case h.kind == typeData:
		return &Status{InvalidArgument, "there are no streaming methods here"}
	case h.kind != typeRequest:
		return nil // of a protocol to come: ignored
	case h.stream%2 != 1:
		return &Status{InvalidArgument, "a client's streams have odd numbers"}
	case h.stream <= c.last:
		return &Status{InvalidArgument, "a stream's number is used once, and numbers grow"}
	}
	c.last = h.stream
	var req wire.Request
	if err := wire.Unmarshal(body, &req); err != nil {
		return &Status{InvalidArgument, err.Error()}
	}
	handler := c.server.Services[req.Service][req.Method]
	if handler == nil {
		return &Status{Unimplemented, "no method " + req.Service + "/" + req.Method}
	}
	if err := c.enter(); err != nil {
		return err
	}
	go c.call(ctx, h.stream, &req, handler)
	return nil
}

func (c *conn) call(ctx context.Context, stream uint32, req *wire.Request, handler Handler) {
	defer c.exit()
	if len(req.Metadata) > 0 {
		ctx = context.WithValue(ctx, metadataKey{}, req.Metadata)
	}
	if req.TimeoutNano > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(req.TimeoutNano))
		defer cancel()
	}
	m, err := handler(ctx, req.Payload)
	c.answer(stream, m, err)
	if c.server.Answered != nil {
		c.server.Answered()
	}
}

// answer sends one response. That the peer has gone is no concern of the call's: serve learns it too.
func (c *conn) answer(stream uint32, m wire.Message, err error) {
	resp := &wire.Response{}
	if err != nil {
		resp.Status = statusOf(err)
	} else {
		resp.Payload = wire.Marshal(m)
	}
	b, err := frame(stream, typeResponse, resp)
	if err != nil {
		resp = &wire.Response{Status: statusOf(&Status{ResourceExhausted, "answer: " + err.Error()})}
		b, _ = frame(stream, typeResponse, resp)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.net.Write(b); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, unix.EPIPE) {
		slog.Warn("ttrpc: answer not sent", "err", err)
	}
}

// enter counts a call in, unless the server leaves or there are too many.
func (c *conn) enter() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving || c.server.isLeaving() {
		return &Status{Unavailable, "the shim is leaving"}
	}
	if c.running >= maxCalls {
		return &Status{ResourceExhausted, "too many calls on one connection"}
	}
	c.running++
	return nil
}

// exit counts it out; its answer has been sent.
func (c *conn) exit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.leaving && c.running == 0 {
		c.net.Close()
	}
}

// leave closes the connection as soon as no call runs on it.
func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving = true; c.running == 0 {
		c.net.Close()
	}
}
