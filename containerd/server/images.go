package server

import (
	"context"
	"strings"

	apievents "github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/v2/pkg/filters"
	"github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/meta"
	"hull/stages"
)

// images is the service of the same name: an image is a name for a manifest's digest.
type images struct {
	api.UnimplementedImagesServer
	*server
	table *meta.Table[*api.Image]
}

func newImageTable(db *meta.DB) *meta.Table[*api.Image] { return meta.Proto[api.Image](db, "image") }

func (s *images) Get(ctx context.Context, req *api.GetImageRequest) (*api.GetImageResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	i, err := s.table.Get(ns, req.Name)
	if err != nil {
		return nil, err
	}
	return &api.GetImageResponse{Image: i}, nil
}

func (s *images) List(ctx context.Context, req *api.ListImagesRequest) (*api.ListImagesResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := parseFilters(req.Filters)
	if err != nil {
		return nil, err
	}
	all, err := s.table.List(ns, func(i *api.Image) bool { return filter.Match(imageFields(i)) })
	if err != nil {
		return nil, err
	}
	return &api.ListImagesResponse{Images: all}, nil
}

func imageFields(i *api.Image) filters.Adaptor {
	return filters.AdapterFunc(func(path []string) (string, bool) {
		switch {
		case len(path) == 0:
		case path[0] == "name":
			return i.Name, i.Name != ""
		case path[0] == "target" && len(path) > 1:
			switch path[1] {
			case "digest":
				return i.Target.GetDigest(), true
			case "mediatype":
				return i.Target.GetMediaType(), true
			}
		case path[0] == "labels":
			v, ok := i.Labels[strings.Join(path[1:], ".")]
			return v, ok
		case path[0] == "annotations":
			v, ok := i.Target.GetAnnotations()[strings.Join(path[1:], ".")]
			return v, ok
		}
		return "", false
	})
}

// check looks at an image before it is recorded.
func checkImage(i *api.Image) error {
	if i.GetName() == "" {
		return &stages.Error{Kind: stages.Invalid, Thing: "image", Err: errNoName}
	}
	if _, err := digest.Parse(i.GetTarget().GetDigest()); err != nil {
		return &stages.Error{Kind: stages.Invalid, Thing: "image " + i.Name, Err: err}
	}
	return checkLabels(i.Labels)
}

func (s *images) Create(ctx context.Context, req *api.CreateImageRequest) (*api.CreateImageResponse, error) {
	ns, err := s.namespaces.use(ctx)
	if err != nil {
		return nil, err
	}
	i := req.GetImage()
	if err := checkImage(i); err != nil {
		return nil, err
	}
	defer s.gc.rely()()
	i.CreatedAt = timestamppb.Now()
	i.UpdatedAt = i.CreatedAt
	if err := s.table.Create(ns, i.Name, i, false); err != nil {
		return nil, err
	}
	return &api.CreateImageResponse{Image: i}, s.events.Publish(ns, "/images/create", &apievents.ImageCreate{Name: i.Name, Labels: i.Labels})
}

func (s *images) Update(ctx context.Context, req *api.UpdateImageRequest) (*api.UpdateImageResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gc.rely()()
	new, paths := req.GetImage(), req.GetUpdateMask().GetPaths()
	i, err := s.table.Update(ns, new.GetName(), func(i *api.Image) (*api.Image, error) {
		if len(paths) == 0 {
			paths = []string{"labels", "target"}
		}
		for _, path := range paths {
			switch {
			case path == "target" || strings.HasPrefix(path, "annotations"):
				i.Target = new.Target
			default:
				labels, err := changeLabels(i.Labels, new.Labels, []string{path})
				if err != nil {
					return nil, err
				}
				i.Labels = labels
			}
		}
		i.UpdatedAt = timestamppb.Now()
		return i, checkImage(i)
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateImageResponse{Image: i}, s.events.Publish(ns, "/images/update", &apievents.ImageUpdate{Name: i.Name, Labels: i.Labels})
}

// Delete forgets the name. What it was the last to refer to is collected: soon, or with "sync" before the answer.
func (s *images) Delete(ctx context.Context, req *api.DeleteImageRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	if want := req.GetTarget().GetDigest(); want != "" {
		i, err := s.table.Get(ns, req.Name)
		if err != nil {
			return nil, err
		}
		if i.Target.GetDigest() != want {
			return nil, &stages.Error{Kind: stages.NotFound, Thing: "image " + req.Name + "@" + want, Err: errMoved}
		}
	}
	if _, err := s.table.Delete(ns, req.Name); err != nil {
		return nil, err
	}
	if err := s.events.Publish(ns, "/images/delete", &apievents.ImageDelete{Name: req.Name}); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.gc.after(ctx, ns, req.Sync)
}
