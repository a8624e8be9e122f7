package shimproc

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"

	task "github.com/containerd/containerd/api/runtime/task/v2"
	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"

	"hull/containerd/bundle"
	"hull/stages/instance"
	"hull/trace/span"
)

// A Conn is a connection to a serving shim. Task calls go through the embedded client; their contexts' spans travel along.
type Conn struct {
	task.TTRPCTaskService
	client *ttrpc.Client
	closed chan struct{}
}

// Dial connects to a shim. It does not ask anything yet.
func Dial(ctx context.Context, a Address) (*Conn, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	path, _ := a.path() // check has looked at it
	c, err := instance.Dial(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	conn := &Conn{closed: make(chan struct{})}
	conn.client = ttrpc.NewClient(c,
		ttrpc.WithOnClose(func() { close(conn.closed) }),
		ttrpc.WithUnaryClientInterceptor(sendTrace))
	conn.TTRPCTaskService = task.NewTTRPCTaskClient(conn.client)
	return conn, nil
}

// sendTrace adds the current span to a call's metadata, as `traceparent`.
func sendTrace(ctx context.Context, req *ttrpc.Request, resp *ttrpc.Response, _ *ttrpc.UnaryClientInfo, invoke ttrpc.Invoker) error {
	if c := span.Current(ctx); c.Valid() {
		req.Metadata = append(req.Metadata, &ttrpc.KeyValue{Key: "traceparent", Value: c.String()})
	}
	return invoke(ctx, req, resp)
}

// Closed is closed when the connection is gone: the shim has exited or died, or Close was called.
func (c *Conn) Closed() <-chan struct{} { return c.closed }

// Close ends the connection. The shim lives on.
func (c *Conn) Close() error { return c.client.Close() }

// A Log carries a shim's own log lines to ours: shims write to the FIFO `log` in their bundle.
type Log struct{ file *os.File }

// OpenLog makes the FIFO, or opens the one that is there, and reads it until Close. It must come before `start`: a shim may refuse to
// serve if nobody reads.
func OpenLog(b *bundle.Bundle, id string) (*Log, error) {
	path := b.Dir + "/log"
	if err := unix.Mkfifo(path, 0o600); err != nil && err != unix.EEXIST {
		return nil, fmt.Errorf("mkfifo %s: %w", path, err)
	}
	// O_RDWR: opening never waits for a writer, and the end of one writer (the `start` process) is no end of file (fifo(7)).
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewReaderSize(f, 64<<10)
		for {
			line, _, err := lines.ReadLine() // a longer line comes in pieces
			if err != nil {
				return
			}
			level := slog.LevelInfo
			if bytes.Contains(line, []byte("level=info")) || bytes.Contains(line, []byte("level=debug")) {
				level = slog.LevelDebug
			}
			slog.Log(context.Background(), level, "shim", "container", id, "line", string(line))
		}
	}()
	return &Log{f}, nil
}

// Close stops reading.
func (l *Log) Close() error { return l.file.Close() }
