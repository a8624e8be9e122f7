// Package server is hull-containerd: containerd's gRPC services on RUN/containerd.sock, and its ttrpc events service for shims beside it.
//
// hulld calls it, and so does any client of containerd's: ctr, dockerd. Each service is one file and does little itself: it translates
// between the wire's messages and the packages that do the work (task, snapshot, image, content, event, meta). It holds no knowledge
// of the Docker API, starts no runtime, and keeps nothing in memory that a restart would lose.
//
// Not offered, and answered Unimplemented by name: checkpoints, Diff (making a layer from two trees), transfer, streaming, sandboxes,
// mounts. What nothing refers to any more is collected (collect.go): when an image or a lease is deleted, and at the start.
package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	contentapi "github.com/containerd/containerd/api/services/content/v1"
	diffapi "github.com/containerd/containerd/api/services/diff/v1"
	eventsapi "github.com/containerd/containerd/api/services/events/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	introspectionapi "github.com/containerd/containerd/api/services/introspection/v1"
	leasesapi "github.com/containerd/containerd/api/services/leases/v1"
	namespacesapi "github.com/containerd/containerd/api/services/namespaces/v1"
	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	tasksapi "github.com/containerd/containerd/api/services/tasks/v1"
	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"github.com/containerd/containerd/v2/plugins/services/content/contentserver"
	"github.com/containerd/log"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"hull/containerd/bundle"
	"hull/containerd/content"
	"hull/containerd/event"
	"hull/containerd/meta"
	"hull/containerd/shimproc"
	"hull/containerd/snapshot"
	"hull/containerd/task"
	"hull/stages/instance"
	"hull/trace/span"
	"hull/trace/span/otel"
)

// maxMessage bounds one gRPC message, as containerd does.
const maxMessage = 16 << 20

// window is how many bytes of a stream may be on their way.
const window = 1 << 20

// Paths are the other binaries; empty ones are looked for beside our own.
type Paths struct{ Runtime, Shim, Bundle string }

// Main runs hull-containerd until SIGTERM and returns its exit code.
func Main(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("hull-containerd", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", "", "the instance's root `directory` (default: $"+instance.EnvRoot+", else the system's)")
	var p Paths
	flags.StringVar(&p.Runtime, "runtime", "", "the OCI runtime's `path` (default: hull-runc beside this program)")
	flags.StringVar(&p.Shim, "shim", "", "hull-shim's `path` (default: beside this program)")
	flags.StringVar(&p.Bundle, "bundle", "", "hull-bundle's `path` (default: beside this program)")
	debug := flags.Bool("debug", false, "record the spans of the library for gRPC as well")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "hull-containerd: unknown argument %q\n", flags.Arg(0))
		return 2
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(stderr, nil)))
	// containerd's own packages log through theirs, and unpack in this process, never by a program that a PATH leads to (CVE-2026-41567).
	if err := errors.Join(
		log.SetFormat(log.JSONFormat), log.SetLevel("error"), os.Setenv("CONTAINERD_DISABLE_PIGZ", "1"), os.Setenv("CONTAINERD_DISABLE_IGZIP", "1"),
	); err != nil {
		fmt.Fprintln(stderr, "hull-containerd:", err)
		return 1
	}
	inst, err := instance.At(*root)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = Run(ctx, inst, p, *debug)
	}
	if err != nil {
		fmt.Fprintln(stderr, "hull-containerd:", err)
		return 1
	}
	return 0
}

// beside fills the paths that were not given, and makes all of them absolute: shims run in other directories.
func (p Paths) beside() (_ Paths, self string, err error) {
	if self, err = os.Executable(); err != nil {
		return p, "", err
	}
	for name, path := range map[string]*string{"hull-runc": &p.Runtime, "hull-shim": &p.Shim, "hull-bundle": &p.Bundle} {
		if *path == "" {
			*path = filepath.Join(filepath.Dir(self), name)
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return p, "", err
		}
	}
	return p, self, nil
}

// A server is the parts that the services share.
type server struct {
	inst       instance.Instance
	db         *meta.DB
	content    *content.Store
	snapshots  *snapshot.Store
	events     *event.Exchange
	tasks      *task.Manager
	recorder   *span.Recorder
	tracing    *otel.Tracing
	namespaces *namespaces
	gc         *collector
	done       chan struct{} // closed when we leave; it ends the streams that would never end by themselves
}

// Run serves until ctx ends. The one place where the parts are put together.
func Run(ctx context.Context, inst instance.Instance, p Paths, debug bool) (err error) {
	p, self, err := p.beside()
	if err != nil {
		return err
	}
	lock, err := instance.Hold(inst.PIDFile("hull-containerd"), inst.ContainerdSocket())
	if err != nil {
		return err
	}
	defer lock.Release()

	db, err := meta.Open(filepath.Join(inst.ContainerdLib(), "metadata.db"), filepath.Join(inst.Run, "containerd.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	snapshots, err := snapshot.Open(filepath.Join(inst.ContainerdLib(), "snapshots"), db)
	if err != nil {
		return err
	}
	recorder := span.New("hull-containerd", inst.SpanSocket(), true)
	defer recorder.Close()
	tracing := otel.Join(recorder, debug)
	defer tracing.Close(context.Background())
	s := &server{
		inst: inst, db: db, snapshots: snapshots, recorder: recorder, tracing: tracing, events: &event.Exchange{},
		content:    content.New(filepath.Join(inst.ContainerdLib(), "content"), db),
		namespaces: newNamespaces(db), done: make(chan struct{}),
	}
	s.gc = &collector{server: s, images: newImageTable(db), containers: newContainerTable(db), leases: newLeaseTable(db)}
	defer s.gc.stop()
	s.tasks = &task.Manager{
		Bundles: &bundle.Maker{Program: p.Bundle, Root: inst.Tasks(), Spans: inst.SpanSocket()},
		Shims: &shimproc.Launcher{
			Hull: p.Shim, Self: self, GRPC: inst.ContainerdSocket(), TTRPC: inst.ContainerdTTRPC(), Spans: inst.SpanSocket(),
		},
		Runtimes: task.Defaults{Root: inst.RuncRoot(), Hull: p.Runtime},
		Events:   s.events,
		Recorder: recorder,
	}
	defer s.tasks.Close()

	// Shims' events first: a shim that has been waiting for us to come back may tell us at once. Then the tasks, then the clients.
	ttrpcListener, err := instance.Listen("unix", inst.ContainerdTTRPC(), 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(inst.ContainerdTTRPC())
	shimSide, err := s.serveShims(ttrpcListener)
	if err != nil {
		return err
	}
	defer shimSide.Close()
	if err := s.tasks.Restore(recorder.Join(ctx, span.Parse(os.Getenv(span.EnvParent)))); err != nil {
		return err
	}
	listener, err := instance.Listen("unix", inst.ContainerdSocket(), 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(inst.ContainerdSocket())
	s.gc.schedule(collectSoon) // what a kill or an expired lease has left
	return s.serve(ctx, listener)
}

// serve answers clients until ctx ends. Calls that are under way then are cut off: their clients see Unavailable, and shims go on.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	g := grpc.NewServer(
		// Windows of a fixed size: a window that grows by measuring costs a PING and its answer with every call (gRPC, BDP estimation).
		grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(window),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.MaxConcurrentStreams(4096),
		grpc.StatsHandler(otelgrpc.NewServerHandler(s.tracing.GRPC()...)),
		grpc.ChainUnaryInterceptor(s.unary), grpc.ChainStreamInterceptor(s.stream))
	s.register(g)
	failed := make(chan error, 1)
	go func() { failed <- g.Serve(l) }()
	slog.Info("hull-containerd answers", "socket", s.inst.ContainerdSocket(), "pid", os.Getpid())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		slog.Info("hull-containerd leaves; shims and containers stay")
		close(s.done)
		g.Stop()
		return nil
	}
}

// register is the list of what is offered.
func (s *server) register(g *grpc.Server) {
	versionapi.RegisterVersionServer(g, &version{})
	introspectionapi.RegisterIntrospectionServer(g, newIntrospection())
	namespacesapi.RegisterNamespacesServer(g, &namespaceService{server: s})
	contentapi.RegisterContentServer(g, contentserver.New(&leasedContent{s.content, s}))
	imagesapi.RegisterImagesServer(g, &images{server: s, table: s.gc.images})
	snapshotsapi.RegisterSnapshotsServer(g, &snapshots{server: s})
	diffapi.RegisterDiffServer(g, &diff{server: s})
	leasesapi.RegisterLeasesServer(g, &leases{server: s, table: s.gc.leases})
	containersapi.RegisterContainersServer(g, &containers{server: s, table: s.gc.containers})
	tasksapi.RegisterTasksServer(g, &tasks{server: s, containers: s.gc.containers})
	eventsapi.RegisterEventsServer(g, &events{server: s})
	healthpb.RegisterHealthServer(g, health.NewServer())
}
