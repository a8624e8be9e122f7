package containerd

import (
	"context"
	"encoding/json"

	"hull/stages"

	"github.com/containerd/containerd/api/services/containers/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// ChangeSpec changes a container's spec, for its next task.
func (c *Client) ChangeSpec(ctx context.Context, id string, change func(*specs.Spec)) error {
	r, err := c.containers.Get(ctx, &containers.GetContainerRequest{ID: id})
	if err != nil {
		return c.wrap(stages.None, id, err)
	}
	var s specs.Spec
	if err := json.Unmarshal(r.GetContainer().GetSpec().GetValue(), &s); err != nil {
		return err
	}
	change(&s)
	text, err := json.Marshal(&s)
	if err != nil {
		return err
	}
	_, err = c.containers.Update(ctx, &containers.UpdateContainerRequest{
		Container:  &containers.Container{ID: id, Spec: &anypb.Any{TypeUrl: specURL, Value: text}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"spec"}},
	})
	return c.wrap(stages.None, id, err)
}
