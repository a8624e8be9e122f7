// Package containerd holds the daemon's calls to containerd: the real gRPC services, by containerd's own protobufs, so that hull-containerd
// and a foreign containerd are the same thing to the daemon.
//
// It is called by daemon/engine and daemon/image. It keeps no state but the connection, decides nothing about containers, and never
// starts a process: that is what is on the other side of the socket.
//
// Traps: every call needs the namespace in its metadata (one interceptor puts it there); a message may be larger than gRPC's default
// of 4 MiB; an error's text is part of docker's contract (the docker client reads exit codes 126 and 127 out of it), so it is kept whole.
package containerd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span/otel"

	"github.com/containerd/containerd/api/services/containers/v1"
	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/api/services/events/v1"
	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/services/version/v1"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	// Namespace is the containerd namespace that holds everything of hull's.
	Namespace = "hull"
	// Snapshotter is the one that the daemon asks for, always.
	Snapshotter = "overlayfs"

	maxMessage = 16 << 20 // containerd's own limit (defaults.DefaultMaxRecvMsgSize)
	window     = 1 << 20  // bytes of a stream that may be on their way
)

// A Client is one connection to a containerd, shared by all requests; gRPC reconnects it by itself when containerd comes back.
type Client struct {
	Address string

	conn       *grpc.ClientConn
	containers containers.ContainersClient
	tasks      tasks.TasksClient
	images     images.ImagesClient
	snapshots  snapshots.SnapshotsClient
	diff       diff.DiffClient
	leases     leases.LeasesClient
	events     events.EventsClient
	content    content.ContentClient
	version    version.VersionClient
}

// Dial makes the client of the containerd that listens on the UNIX socket address. It does not connect yet. Calls carry their place in the trace.
func Dial(address string, tracing *otel.Tracing) (*Client, error) {
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), // a UNIX socket: the directory's mode is the credential
		grpc.WithContextDialer(func(ctx context.Context, path string) (net.Conn, error) { return instance.Dial(ctx, "unix", path) }),
		// A containerd that has just been started or restarted is looked for soon again: gRPC's own first pause is a second.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		// Windows of a fixed size: one that grows by measuring costs a PING and its answer with every call (gRPC, BDP estimation).
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(tracing.GRPC()...)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return call(outgoing(ctx), method, req, reply, cc, opts...)
		}),
		grpc.WithStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			return open(outgoing(ctx), desc, cc, method, opts...)
		}))
	if err != nil {
		return nil, fmt.Errorf("containerd %s: %w", address, err)
	}
	return &Client{
		Address: address, conn: conn,
		containers: containers.NewContainersClient(conn), tasks: tasks.NewTasksClient(conn), images: images.NewImagesClient(conn),
		snapshots: snapshots.NewSnapshotsClient(conn), diff: diff.NewDiffClient(conn), leases: leases.NewLeasesClient(conn),
		events: events.NewEventsClient(conn), content: content.NewContentClient(conn), version: version.NewVersionClient(conn),
	}, nil
}

// Close ends the connection; calls under way fail.
func (c *Client) Close() error { return c.conn.Close() }

// Ready waits until containerd answers, as long as ctx allows, and returns its version.
func (c *Client) Ready(ctx context.Context) (string, error) {
	v, err := c.version.Version(ctx, &emptypb.Empty{}, grpc.WaitForReady(true))
	if err != nil {
		return "", c.wrap(stages.None, "", err)
	}
	return v.Version, nil
}

// outgoing adds what every call carries: the namespace, and the lease it works under.
func outgoing(ctx context.Context) context.Context {
	pairs := []string{"containerd-namespace", Namespace}
	if lease, ok := ctx.Value(leaseKey{}).(string); ok {
		pairs = append(pairs, "containerd-lease", lease)
	}
	return metadata.AppendToOutgoingContext(ctx, pairs...)
}

// wrap turns a gRPC status into an error of the catalogue's kinds, keeping containerd's words.
func (c *Client) wrap(step stages.ID, thing string, err error) error {
	if err == nil {
		return nil
	}
	st, ok := status.FromError(err)
	if !ok {
		return &stages.Error{Step: step, Thing: thing, Err: err}
	}
	text := oneLine(rpcWords.ReplaceAllString(st.Message(), ""))
	if strings.Contains(text, thing) { // containerd has named it itself
		thing = ""
	}
	e := &stages.Error{Step: step, Thing: thing, Err: errors.New(text), Kind: kindOf(st)}
	if st.Code() == codes.Unavailable && !c.answers() {
		e.Thing = c.Address
		e.Hint = "containerd does not answer; hulld starts hull-containerd again by itself"
	}
	return e
}

// rpcWords is what gRPC puts before an error that came over a further border.
var rpcWords = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// answers tells whether somebody listens on containerd's socket. The code Unavailable alone does not say who is missing: containerd itself,
// or a part behind it that it speaks of.
func (c *Client) answers() bool {
	conn, err := instance.Dial(context.Background(), "unix", c.Address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// kindOf reads the kind out of the status code and, for the two errors that docker's clients must tell apart, out of the runtime's words
// (docker/cli, command/container/run.go: toStatusError).
func kindOf(st *status.Status) stages.Kind {
	text := st.Message()
	switch {
	case strings.Contains(text, "executable file not found"),
		strings.Contains(text, `exec: "`) && strings.Contains(text, "no such file or directory"):
		return stages.NoProgram
	case strings.Contains(text, "permission denied") && strings.Contains(text, "exec"), strings.Contains(text, "is a directory"):
		return stages.NotRunnable
	}
	switch st.Code() {
	case codes.NotFound:
		return stages.NotFound
	case codes.AlreadyExists, codes.FailedPrecondition, codes.Aborted:
		return stages.Conflict
	case codes.InvalidArgument, codes.OutOfRange:
		return stages.Invalid
	case codes.PermissionDenied, codes.Unauthenticated:
		return stages.Denied
	case codes.Unimplemented:
		return stages.Unsupported
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return stages.Unavailable
	case codes.ResourceExhausted:
		return stages.Exhausted
	}
	return stages.Internal
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
