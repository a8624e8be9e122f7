package containerd

import (
	"context"

	"hull/stages"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/api/services/events/v1"
	"google.golang.org/protobuf/proto"
)

// exits selects what Exits listens to. A filter that the server does not know would only mean more events to skip.
const exits = "namespace==" + Namespace + `,topic~=|^/tasks/|`

// Exits calls opened once the subscription stands, then exited and oom for each event, until ctx ends or the stream breaks; the error says
// which. Events that happened while nobody was subscribed are not repeated: after opened, the caller must ask for the state of each
// task it believes to be running.
func (c *Client) Exits(ctx context.Context, opened func(), exited func(Exit), oom func(id string)) error {
	stream, err := c.events.Subscribe(ctx, &events.SubscribeRequest{Filters: []string{exits}})
	if err != nil {
		return c.wrap(stages.DaemonExitObserve, "", err)
	}
	// Subscribe returns before the server has seen the request. A unary call on the same connection is answered after the stream's
	// headers have been read there, and the server subscribes at once.
	if _, err := c.Ready(ctx); err != nil {
		return err
	}
	opened()
	for {
		envelope, err := stream.Recv()
		if err != nil {
			return c.wrap(stages.DaemonExitObserve, "", err)
		}
		if envelope.Namespace != Namespace || envelope.Event == nil {
			continue
		}
		switch envelope.Topic {
		case "/tasks/exit":
			var e eventtypes.TaskExit
			// The bytes are taken by the topic: containerd's Any carries a bare type name, which anypb refuses.
			if proto.Unmarshal(envelope.Event.Value, &e) != nil {
				continue
			}
			x := Exit{ID: e.ContainerID, PID: e.Pid, Status: e.ExitStatus, At: e.ExitedAt.AsTime()}
			if e.ID != e.ContainerID {
				x.Exec = e.ID // an exec's exit is not the container's
			}
			exited(x)
		case "/tasks/oom":
			var e eventtypes.TaskOOM
			if proto.Unmarshal(envelope.Event.Value, &e) == nil {
				oom(e.ContainerID)
			}
		}
	}
}
