package event_test

import (
	"fmt"
	"testing"

	apievents "github.com/containerd/containerd/api/events"
	"github.com/stretchr/testify/require"

	"hull/containerd/event"
)

func TestFilters(t *testing.T) {
	var x event.Exchange
	all, err := x.Subscribe(nil)
	require.NoError(t, err)
	defer all.Cancel()
	docker, err := x.Subscribe([]string{`namespace==moby,topic~=|^/tasks/|`}) // what dockerd asks for
	require.NoError(t, err)
	defer docker.Cancel()
	body, err := x.Subscribe([]string{`event.container_id==b`})
	require.NoError(t, err)
	defer body.Cancel()
	_, err = x.Subscribe([]string{"=="})
	require.Error(t, err)

	for _, ns := range []string{"moby", "other"} {
		for _, id := range []string{"a", "b"} {
			require.NoError(t, x.Publish(ns, "/tasks/exit", &apievents.TaskExit{ContainerID: id}))
		}
		require.NoError(t, x.Publish(ns, "/images/create", &apievents.ImageCreate{Name: "i"}))
	}
	require.Len(t, all.C, 6)
	require.Len(t, docker.C, 2)
	require.Len(t, body.C, 2)

	require.Error(t, x.Publish("moby", "no slash", &apievents.TaskExit{}))
	require.Error(t, x.Publish("../x", "/tasks/exit", &apievents.TaskExit{}))
	require.Error(t, x.Forward(nil))
}

func TestOrderAndSlowness(t *testing.T) {
	var x event.Exchange
	quick, err := x.Subscribe(nil)
	require.NoError(t, err)
	slow, err := x.Subscribe(nil)
	require.NoError(t, err)
	read := 0
	for i := 0; i < 10000; i++ {
		require.NoError(t, x.Publish("n", fmt.Sprintf("/t/%d", i), &apievents.TaskExit{}))
		if i%100 == 0 {
			for len(quick.C) > 0 {
				require.Equal(t, fmt.Sprintf("/t/%d", read), (<-quick.C).Topic)
				read++
			}
		}
	}
	n := 0
	for range slow.C { // closed: it was cut off, and knows it
		n++
	}
	require.Less(t, n, 10000)
	quick.Cancel()
	require.NoError(t, x.Publish("n", "/t/x", &apievents.TaskExit{}))
}
