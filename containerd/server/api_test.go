package server_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	diffapi "github.com/containerd/containerd/api/services/diff/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	tasksapi "github.com/containerd/containerd/api/services/tasks/v1"
	transferapi "github.com/containerd/containerd/api/services/transfer/v1"
	"github.com/containerd/containerd/api/types"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"hull/containerd/containerdtest"
	"hull/stages/instance"
)

// dial is a bare gRPC client: what hulld does and ctr cannot.
func dial(t *testing.T, c *containerdtest.Ours) (*grpc.ClientConn, context.Context) {
	conn, err := grpc.NewClient("unix://"+c.Socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return conn, metadata.AppendToOutgoingContext(ctx, "containerd-namespace", c.Namespace())
}

func TestAPI(t *testing.T) {
	c := containerdtest.StartOurs(t, nil)
	conn, ctx := dial(t, c)

	h, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVING, h.Status)

	t.Run("codes", func(t *testing.T) {
		_, err := imagesapi.NewImagesClient(conn).Get(ctx, &imagesapi.GetImageRequest{Name: "nosuch"})
		require.Equal(t, codes.NotFound, status.Code(err), "%v", err)
		_, err = imagesapi.NewImagesClient(conn).List(context.Background(), &imagesapi.ListImagesRequest{})
		require.Equal(t, codes.InvalidArgument, status.Code(err), "no namespace: %v", err)
		_, err = tasksapi.NewTasksClient(conn).Checkpoint(ctx, &tasksapi.CheckpointTaskRequest{})
		require.Equal(t, codes.Unimplemented, status.Code(err), "%v", err)
		_, err = diffapi.NewDiffClient(conn).Diff(ctx, &diffapi.DiffRequest{})
		require.Equal(t, codes.Unimplemented, status.Code(err), "%v", err)
		_, err = transferapi.NewTransferClient(conn).Transfer(ctx, &transferapi.TransferRequest{})
		require.Equal(t, codes.Unimplemented, status.Code(err), "%v", err)
	})
	t.Run("apply outside", func(t *testing.T) { // mounts that are none of the snapshotter's
		for _, m := range []*types.Mount{
			{Type: "bind", Source: "/etc", Options: []string{"rw"}},
			{Type: "bind", Source: c.Root + "/lib/containerd/snapshots/../../../x/fs", Options: []string{"rw"}},
			{Type: "overlay", Source: "overlay", Options: []string{"upperdir=/etc/fs", "lowerdir=/"}},
			{Type: "tmpfs"},
		} {
			_, err := diffapi.NewDiffClient(conn).Apply(ctx, &diffapi.ApplyRequest{
				Diff:   &types.Descriptor{Digest: "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
				Mounts: []*types.Mount{m},
			})
			require.Equal(t, codes.InvalidArgument, status.Code(err), "%v", err)
		}
	})
	t.Run("a --rm run", func(t *testing.T) { testVolatileRun(t, c.With(t), conn, ctx) })
}

// A run whose records carry hull.rm=true leaves the durable database untouched, byte for byte, and so costs no fsync. With a
// traceparent in the metadata each step of hull-containerd's is a span, and so is each of hull-bundle's.
func testVolatileRun(t *testing.T, c *containerdtest.Ours, conn *grpc.ClientConn, ctx context.Context) {
	l, err := instance.Listen("unixpacket", c.Root+"/run/spans.sock", 0o600)
	require.NoError(t, err)
	defer l.Close()
	spans := make(chan *tracepb.Span, 100)
	go collect(l, spans)
	ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
	durable := filepath.Join(c.Root, "lib/containerd/metadata.db")
	// What the import has left over is collected now, and not in the middle of the run.
	c.Output("images", "tag", containerdtest.Image, "docker.io/library/copy:2")
	c.Output("images", "rm", "--sync", "docker.io/library/copy:2")
	before, err := os.ReadFile(durable)
	require.NoError(t, err)

	// The image's top layer, whatever its digest.
	list, err := snapshotsapi.NewSnapshotsClient(conn).List(ctx, &snapshotsapi.ListSnapshotsRequest{Filters: []string{"kind==committed"}})
	require.NoError(t, err)
	layers, err := list.Recv()
	require.NoError(t, err)
	rm := map[string]string{"hull.rm": "true"}
	kept := map[string]string{"hull.rm": "true", "containerd.io/gc.root": "test"} // nothing else refers to it: a collection would take it
	prepared, err := snapshotsapi.NewSnapshotsClient(conn).Prepare(ctx, &snapshotsapi.PrepareSnapshotRequest{Key: "v1", Parent: layers.Info[0].Name, Labels: kept})
	require.NoError(t, err)
	spec, err := json.Marshal(&specs.Spec{
		Version: "1.0.2", Root: &specs.Root{Path: "rootfs"}, Mounts: []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
		Process: &specs.Process{Args: []string{"/bin/sh", "-c", "exit 5"}, Cwd: "/"},
		Linux: &specs.Linux{
			CgroupsPath: "/" + c.Namespace() + "/v1",
			Namespaces:  []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}},
		},
	})
	require.NoError(t, err)
	containers, tasks := containersapi.NewContainersClient(conn), tasksapi.NewTasksClient(conn)
	_, err = containers.Create(ctx, &containersapi.CreateContainerRequest{Container: &containersapi.Container{
		ID: "v1", Labels: rm, Runtime: &containersapi.Container_Runtime{Name: containerdtest.Runc}, Spec: &anypb.Any{TypeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Spec", Value: spec},
	}})
	require.NoError(t, err)
	_, err = tasks.Create(ctx, &tasksapi.CreateTaskRequest{ContainerID: "v1", Rootfs: prepared.Mounts})
	require.NoError(t, err)
	_, err = containers.Delete(ctx, &containersapi.DeleteContainerRequest{ID: "v1"})
	require.Equal(t, codes.AlreadyExists, status.Code(err), "it has a task: %v", err)
	_, err = tasks.Start(ctx, &tasksapi.StartRequest{ContainerID: "v1"})
	require.NoError(t, err)
	exit, err := tasks.Wait(ctx, &tasksapi.WaitRequest{ContainerID: "v1"})
	require.NoError(t, err)
	require.Equal(t, uint32(5), exit.ExitStatus)
	gone, err := tasks.Delete(ctx, &tasksapi.DeleteTaskRequest{ContainerID: "v1"})
	require.NoError(t, err)
	require.Equal(t, uint32(5), gone.ExitStatus)
	_, err = containers.Delete(ctx, &containersapi.DeleteContainerRequest{ID: "v1"})
	require.NoError(t, err)
	_, err = snapshotsapi.NewSnapshotsClient(conn).Remove(ctx, &snapshotsapi.RemoveSnapshotRequest{Key: "v1"})
	require.NoError(t, err)

	after, err := os.ReadFile(durable)
	require.NoError(t, err)
	require.True(t, string(before) == string(after), "the durable database was written")

	parent := map[string]string{}
	byID := map[string]string{}
	for len(parent) < 9 {
		select {
		case s := <-spans:
			byID[string(s.SpanId)] = s.Name
			parent[s.Name] = string(s.ParentSpanId)
		case <-ctx.Done():
			t.Fatalf("only these spans came: %v", parent)
		}
	}
	for name, want := range map[string]string{
		"containerd.snapshot.prepare": "", "containerd.container.create": "", "containerd.task.create": "", "containerd.task.start": "",
		"containerd.bundle": "containerd.task.create", "containerd.shim.start": "containerd.task.create",
		"bundle.create": "containerd.bundle", "bundle.rootfs": "bundle.create", "bundle.config": "bundle.create",
	} {
		require.Contains(t, parent, name)
		require.Equal(t, want, byID[parent[name]], "the parent of %s", name)
	}
}

// collect takes what hull-trace would take.
func collect(l *net.UnixListener, spans chan<- *tracepb.Span) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 1<<20)
			for {
				n, err := c.Read(buf)
				if err != nil || n == 0 {
					return
				}
				var data tracepb.TracesData
				if proto.Unmarshal(buf[:n], &data) != nil {
					return
				}
				for _, r := range data.ResourceSpans {
					for _, s := range r.ScopeSpans {
						for _, one := range s.Spans {
							if one.Name != "containerd.exit.forward" { // its time is the shim's to choose
								spans <- one
							}
						}
					}
				}
			}
		}()
	}
}
