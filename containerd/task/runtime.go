package task

import (
	"fmt"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"hull/containerd/shimproc"
	"hull/stages"
)

// Defaults is what a runtime is told where the client said nothing.
type Defaults struct {
	Root string // the runtime's state directory: below the instance's root, so that two instances never meet
	Hull string // hull-runc's path, for hull's runtime
}

// runcRuntime is containerd's own shim, which takes the same options.
const runcRuntime = "io.containerd.runc.v2"

// options is what travels to the shim: the client's, with the gaps filled for the two runtimes whose options we know. Others' pass as
// they are.
func (d Defaults) options(runtime string, given *anypb.Any) (*anypb.Any, error) {
	if runtime != shimproc.HullRuntime && runtime != runcRuntime {
		return given, nil
	}
	o := &options.Options{}
	if given != nil && given.TypeUrl != "" {
		v, err := typeurl.UnmarshalAny(given)
		if err != nil {
			return nil, &stages.Error{Kind: stages.Invalid, Thing: "runtime options", Err: err}
		}
		known, ok := v.(*options.Options)
		if !ok {
			return nil, &stages.Error{Kind: stages.Invalid, Thing: "runtime options", Err: fmt.Errorf("%s takes containerd.runc.v1.Options, not %s", runtime, given.TypeUrl)}
		}
		o = proto.Clone(known).(*options.Options)
	}
	if o.Root == "" {
		o.Root = d.Root
	}
	if o.BinaryName == "" && runtime == shimproc.HullRuntime {
		o.BinaryName = d.Hull
	}
	return typeurl.MarshalAnyToProto(o)
}
