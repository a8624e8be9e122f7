package server

import (
	"context"

	api "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Version is what hull-containerd announces: the level of containerd's API that it follows, and what it is. Clients compare the number.
const (
	Version  = "1.7.0+hull"
	Revision = "hull"
)

type version struct{ api.UnimplementedVersionServer }

func (*version) Version(context.Context, *emptypb.Empty) (*api.VersionResponse, error) {
	return &api.VersionResponse{Version: Version, Revision: Revision}, nil
}
