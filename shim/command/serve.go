package command

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"hull/shim/reap"
	"hull/shim/task"
	"hull/stages"
	"hull/trace/span"

	"github.com/containerd/ttrpc"
	"golang.org/x/sys/unix"
)

// farewell is how long a shim that was told to go waits for its last events and answers to be taken.
const farewell = 3 * time.Second

// serve is the long-lived shim. It ends by Task/Shutdown only.
func (c *call) serve() error {
	socketSpans := c.spanSocket()
	rec := span.New(stages.Shim.Binary(), socketSpans, false)
	if rec != nil {
		rec.Marks = true // a delete and the publishing of an exit overlap
	}
	parent := span.Parse(os.Getenv(span.EnvParent))
	// First thing of all: what becomes an orphan from here on comes to us.
	if err := becomeSubreaper(rec.Join(context.Background(), parent)); err != nil {
		return err
	}
	rec.Flush()
	// The task's name is the stage's, under whatever name the file is installed. /proc/self/comm is the main thread's. proc(5)
	if err := os.WriteFile("/proc/self/comm", []byte(stages.Shim.Binary()), 0); err != nil {
		return err
	}
	// A shim that dies takes the truth about its container along: it outlives the signals that end others. They are caught and dropped, not
	// ignored: an ignored signal would stay ignored in the runtime and the container (execve(2)).
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	level := slog.LevelInfo
	if c.debug {
		level = slog.LevelDebug
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(stderr{}, &slog.HandlerOptions{Level: level})).With(stages.AttrContainer, c.id))

	listener, socket, err := inherited()
	if err != nil {
		return err
	}
	srv, err := ttrpc.NewServer(ttrpc.WithServerHandshaker(ttrpc.UnixSocketRequireSameUser()),
		ttrpc.WithUnaryServerInterceptor(task.Interceptor(rec, parent)))
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	publisher := &task.Publisher{Address: c.ttrpc, Namespace: c.namespace}
	task.Register(srv, &task.Service{
		Namespace: c.namespace, Bundle: c.bundle, Sockets: filepath.Dir(socket), Spans: socketSpans, Reaper: reap.New(), Publisher: publisher,
		Stop: func() { close(stop) }, Flush: rec.Flush,
	})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(context.Background(), listener) }()
	// What start-up needed is not needed again: give its pages back once.
	time.AfterFunc(5*time.Second, debug.FreeOSMemory)

	select {
	case err = <-served:
	case <-stop:
		os.Remove(socket)
		end, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		select {
		case <-publisher.Empty():
		case <-end.Done():
			slog.Error("leaving with events that nobody took")
		}
		err = leave(end, srv)
	}
	rec.Close()
	if errors.Is(err, ttrpc.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// leave ends the server once its answers are out. The answer to Task/Shutdown itself is still on its way; ttrpc looks again for connections
// at rest after 200 ms only (ttrpc, Server.Shutdown), which containerd would wait for at every container's end, so we look more often.
func leave(ctx context.Context, srv *ttrpc.Server) error {
	for {
		look, cancel := context.WithTimeout(ctx, 2*time.Millisecond)
		err := srv.Shutdown(look)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

func becomeSubreaper(ctx context.Context) (err error) {
	_, sp := span.Start(ctx, stages.ShimSubreaper)
	defer sp.End(&err)
	if err := sp.Fault(); err != nil {
		return err
	}
	if err := reap.Subreaper(); err != nil {
		return &stages.Error{Step: stages.ShimSubreaper, Kind: stages.Internal, Err: err}
	}
	return nil
}

// inherited is the listener that start made, and its path.
func inherited() (net.Listener, string, error) {
	f := os.NewFile(3, "listener")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, "", shimError(stages.Invalid, "descriptor 3", err)
	}
	b, err := os.ReadFile(fileAddress) // in the working directory, the bundle
	if err != nil {
		return nil, "", shimError(stages.Internal, fileAddress, err)
	}
	return l, strings.TrimPrefix(string(b), "unix://"), nil
}

// stderr writes log lines to descriptor 2 without waiting: it may be a FIFO that nobody reads.
type stderr struct{}

func (stderr) Write(p []byte) (int, error) {
	unix.Write(2, p)
	return len(p), nil
}
