package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"hull/trace/span"
)

// maxHead limits an answer's status line and headers together.
const maxHead = 64 << 10

// A request is one HTTP/1.1 request (RFC 9112). With a length below 0 the body's end is not known and it is sent in chunks.
type request struct {
	method  string
	target  string // path and query
	kind    string // Content-Type; empty without a body
	header  string // one more header line; empty for none
	body    io.Reader
	length  int64
	upgrade bool // ask for the connection itself: Connection: Upgrade
}

// A response is an answer whose body has not been read yet. Close ends the connection.
type response struct {
	status int
	header map[string]string // names in lower case
	body   io.Reader
	conn   *net.UnixConn
	buf    *bufio.Reader
}

func (r *response) Close() error { return r.conn.Close() }

// roundTrip sends req on its own connection and reads the answer's head.
func roundTrip(ctx context.Context, conn *net.UnixConn, req request) (*response, error) {
	head := req.method + " " + req.target + " HTTP/1.1\r\nHost: hull\r\nUser-Agent: hull\r\n"
	if parent := span.Current(ctx); parent.Valid() {
		head += "traceparent: " + parent.String() + "\r\n"
	}
	switch {
	case req.upgrade:
		head += "Connection: Upgrade\r\nUpgrade: tcp\r\n"
	default:
		head += "Connection: close\r\n"
	}
	if req.header != "" {
		head += req.header + "\r\n"
	}
	if req.kind != "" {
		head += "Content-Type: " + req.kind + "\r\n"
	}
	switch {
	case req.body != nil && req.length < 0:
		head += "Transfer-Encoding: chunked\r\n"
	case req.body != nil || req.method == "POST":
		head += "Content-Length: " + strconv.FormatInt(req.length, 10) + "\r\n"
	}
	_, err := io.WriteString(conn, head+"\r\n")
	if err == nil && req.body != nil {
		err = sendBody(conn, req)
	}
	// A daemon that refuses a request may answer and close before it has read the whole body. Its answer says more than our EPIPE.
	resp, readErr := readHead(conn, req.method)
	if readErr != nil {
		conn.Close()
		if err != nil {
			return nil, err
		}
		return nil, readErr
	}
	return resp, nil
}

func sendBody(w io.Writer, req request) error {
	if req.length >= 0 {
		_, err := io.CopyN(w, req.body, req.length)
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := req.body.Read(buf)
		if n > 0 {
			if _, err := fmt.Fprintf(w, "%x\r\n%s\r\n", n, buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			_, err = io.WriteString(w, "0\r\n\r\n")
			return err
		case err != nil:
			return err
		}
	}
}

// readHead reads the status line and the headers, and finds how the body ends: by its length, by a chunk of length 0, or with the
// connection.
func readHead(conn *net.UnixConn, method string) (*response, error) {
	head := &io.LimitedReader{R: conn, N: maxHead}
	r := &response{header: map[string]string{}, conn: conn, buf: bufio.NewReader(head)}
	line, err := readLine(r.buf)
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	if r.status, err = strconv.Atoi(code); err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		return nil, fmt.Errorf("the answer is not HTTP: %.40q", line)
	}
	for {
		line, err := readLine(r.buf)
		if err != nil {
			return nil, fmt.Errorf("the answer's headers are cut off or longer than %d bytes: %w", maxHead, err)
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		r.header[strings.ToLower(name)] = strings.TrimSpace(value)
	}
	head.N = 1<<63 - 1 // the limit was the head's
	switch length, known := r.header["content-length"]; {
	case method == "HEAD" || r.status == 204 || r.status == 304:
		r.body = strings.NewReader("")
	case strings.EqualFold(r.header["transfer-encoding"], "chunked"):
		r.body = &chunked{r: r.buf}
	case known && r.status != 101:
		n, err := strconv.ParseInt(length, 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("the answer's Content-Length is no number: %.40q", length)
		}
		r.body = io.LimitReader(r.buf, n)
	default:
		r.body = r.buf
	}
	return r, nil
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return strings.TrimRight(line, "\r\n"), err
}

// chunked reads a body in chunks (RFC 9112 section 7.1): a length in hex, the bytes, an empty line; length 0 is the end.
type chunked struct {
	r    *bufio.Reader
	left int64
	err  error
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.left == 0 {
		line, err := readLine(c.r)
		if err != nil {
			c.err = err
			return 0, err
		}
		size, _, _ := strings.Cut(line, ";") // extensions mean nothing here
		if c.left, err = strconv.ParseInt(strings.TrimSpace(size), 16, 63); err != nil || c.left < 0 {
			c.err = fmt.Errorf("chunk of unreadable length %.20q", line)
			return 0, c.err
		}
		if c.left == 0 {
			for line != "" && err == nil { // trailers, then an empty line
				line, err = readLine(c.r)
			}
			c.err = io.EOF
			return 0, c.err
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	if c.left -= int64(n); c.left == 0 && err == nil {
		_, err = c.r.Discard(2) // the CRLF after the chunk
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	c.err = err
	return n, err
}
