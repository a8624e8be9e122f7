package server

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"

	"hull/daemon/engine"
	"hull/stages"

	"golang.org/x/sys/unix"
)

const (
	rawStream         = "application/vnd.docker.raw-stream"
	multiplexedStream = "application/vnd.docker.multiplexed-stream"
)

func (s *Server) streamRoutes(handle registrar) {
	handle("POST /containers/{id}/attach", s.attach)
	handle("GET /containers/{id}/logs", s.logs)
}

// attach takes the connection over from HTTP: from then on it is bytes in both directions (docker's hijacking).
func (s *Server) attach(w http.ResponseWriter, r *http.Request) error {
	if boolParam(r, "logs") {
		return notOffered("attach with logs=1")
	}
	if !boolParam(r, "stream") {
		return failure(stages.Invalid, "attach without stream=1 would show nothing")
	}
	a, err := s.engine.Attach(r.Context(), r.PathValue("id"), engine.AttachOptions{
		Stdin: boolParam(r, "stdin"), Stdout: boolParam(r, "stdout"), Stderr: boolParam(r, "stderr"),
		DetachKeys: r.URL.Query().Get("detachKeys"),
	})
	if err != nil {
		return err
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		a.Cancel()
		return err
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		a.Cancel()
		conn.Close()
		return nil
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + rawStream + "\r\n\r\n"
	if r.Header.Get("Upgrade") != "" {
		head = "HTTP/1.1 101 UPGRADED\r\nContent-Type: " + streamType(r, a.TTY) + "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	}
	if _, err := io.WriteString(conn, head); err != nil {
		a.Cancel()
		conn.Close()
		return nil
	}
	a.Serve(r.Context(), newHijacked(unixConn, buffered.Reader))
	return nil
}

// streamType tells a client of API 1.42 and later whether bytes are framed.
func streamType(r *http.Request, tty bool) string {
	if tty || !atLeast(r, "1.42") {
		return rawStream
	}
	return multiplexedStream
}

// A hijacked connection is an attached client.
type hijacked struct {
	*net.UnixConn
	in io.Reader // what HTTP had already buffered, and then the connection

	once sync.Once
	hup  *os.File // an epoll descriptor; nil if there is none to be had
}

func newHijacked(c *net.UnixConn, buffered io.Reader) *hijacked {
	h := &hijacked{UnixConn: c, in: buffered}
	if raw, err := c.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { h.hup = watchHangup(int(fd)) })
	}
	return h
}

func (h *hijacked) Read(p []byte) (int, error) { return h.in.Read(p) }

func (h *hijacked) Close() error {
	h.once.Do(func() {
		if h.hup != nil {
			h.hup.Close()
		}
		h.UnixConn.Close()
	})
	return nil
}

// watchHangup makes an epoll descriptor that becomes readable when the peer of a UNIX socket has closed it altogether (EPOLLHUP, which epoll
// always reports; epoll_ctl(2)). The end of the peer's output alone, a half-close, is EPOLLRDHUP and not asked for. A read cannot
// tell the two apart, and docker's client half-closes when its standard input ends.
func watchHangup(fd int) *os.File {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	if unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{}) != nil || unix.SetNonblock(ep, true) != nil {
		unix.Close(ep)
		return nil
	}
	return os.NewFile(uintptr(ep), "hangup") // an epoll descriptor can itself be polled: Go's poller waits on it without a thread
}

// Left implements engine.Client.
func (h *hijacked) Left() {
	if h.hup == nil {
		return
	}
	raw, err := h.hup.SyscallConn()
	if err != nil {
		return
	}
	raw.Read(func(ep uintptr) bool {
		var ev [1]unix.EpollEvent
		n, err := unix.EpollWait(int(ep), ev[:], 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
}

func (s *Server) logs(w http.ResponseWriter, r *http.Request) error {
	o := engine.LogOptions{
		Stdout: boolParam(r, "stdout"), Stderr: boolParam(r, "stderr"), Follow: boolParam(r, "follow"), Timestamps: boolParam(r, "timestamps"), Details: boolParam(r, "details"), Tail: -1,
	}
	if !o.Stdout && !o.Stderr {
		return failure(stages.Invalid, "Bad parameters: you must choose at least one stream")
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("tail")); err == nil { // docker takes everything else for "all"
		o.Tail = n
	}
	var err error
	if o.Since, err = timeParam(r, "since"); err != nil {
		return err
	}
	if o.Until, err = timeParam(r, "until"); err != nil {
		return err
	}
	l, err := s.engine.Logs(r.PathValue("id"), o)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", streamType(r, l.TTY))
	w.WriteHeader(http.StatusOK)
	out := flusher{w, http.NewResponseController(w), o.Follow}
	out.control.Flush()
	err = l.Write(r.Context(), out)
	if err != nil && r.Context().Err() == nil && !errors.Is(err, net.ErrClosed) {
		panic(http.ErrAbortHandler) // the headers are out: breaking the connection is the only way to say that something is missing
	}
	return nil
}

// A flusher sends each write at once if somebody is watching.
type flusher struct {
	http.ResponseWriter
	control *http.ResponseController
	each    bool
}

func (f flusher) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if err == nil && f.each {
		err = f.control.Flush()
	}
	return n, err
}
