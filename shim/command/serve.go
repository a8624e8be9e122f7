package command

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"hull/shim/reap"
	"hull/shim/task"
	"hull/shim/ttrpc"
	"hull/stages"
	"hull/trace/span"

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

	listener, err := inherited()
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	publisher := &task.Publisher{Address: c.ttrpc, Namespace: c.namespace}
	service := &task.Service{
		Namespace: c.namespace, Bundle: c.bundle, Sockets: filepath.Dir(c.socket), Spans: socketSpans, Reaper: reap.New(), Publisher: publisher,
		Stop: func() { close(stop) }, Flush: rec.Flush,
	}
	rest := &settler{reaper: service.Reaper}
	srv := &ttrpc.Server{Services: service.Services(task.Tracer{Recorder: rec, Started: parent}), Answered: rest.called}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()

	select {
	case err = <-served:
	case <-stop:
		os.Remove(c.socket)
		end, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		select {
		case <-publisher.Empty():
		case <-end.Done():
			slog.Error("leaving with events that nobody took")
		}
		if err := srv.Shutdown(end); err != nil { // the answer to Task/Shutdown itself is still on its way
			slog.Error("leaving with calls that have no answer", "err", err)
		}
	}
	rec.Close()
	return err
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

// inherited is the listener that start made.
func inherited() (*net.UnixListener, error) {
	f := os.NewFile(3, "listener")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, shimError(stages.Invalid, "descriptor 3", err)
	}
	unixListener, ok := l.(*net.UnixListener)
	if !ok {
		return nil, shimError(stages.Invalid, "descriptor 3", errors.New("not a UNIX socket"))
	}
	return unixListener, nil
}

// stderr writes log lines to descriptor 2 without waiting: it may be a FIFO that nobody reads.
type stderr struct{}

func (stderr) Write(p []byte) (int, error) {
	unix.Write(2, p)
	return len(p), nil
}
