package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	api "github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/v2/pkg/filters"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hull/containerd/gc"
	"hull/containerd/meta"
	"hull/stages"
)

// leases is the service of the same name. A lease keeps what it lists, and what that refers to, from the garbage collector: until it is
// deleted, or until the moment in its label containerd.io/gc.expire. What a client writes with the lease in its call's metadata is listed
// by itself. With the label hull.rm=true it does not survive a power cut, and costs no fsync.
type leases struct {
	api.UnimplementedLeasesServer
	*server
	table *meta.Table[lease]
}

type lease struct {
	ID        string
	Created   time.Time
	Labels    map[string]string
	Resources []resource
}

type resource struct{ ID, Type string }

// maxResources bounds what one lease lists.
const maxResources = 16384

func newLeaseTable(db *meta.DB) *meta.Table[lease] { return meta.JSON[lease](db, "lease") }

func (l lease) wire() *api.Lease {
	return &api.Lease{ID: l.ID, CreatedAt: timestamppb.New(l.Created), Labels: l.Labels}
}

func (s *leases) Create(ctx context.Context, req *api.CreateRequest) (*api.CreateResponse, error) {
	ns, err := s.namespaces.use(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkLabels(req.Labels); err != nil {
		return nil, err
	}
	l := lease{ID: req.ID, Created: time.Now().UTC(), Labels: req.Labels}
	if l.ID == "" {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "lease", Err: errNoName}
	}
	if err := s.table.Create(ns, l.ID, l, meta.Volatile(l.Labels)); err != nil {
		return nil, err
	}
	if at := gc.Expiry(l.Labels); !at.IsZero() {
		s.gc.schedule(time.Until(at) + collectSoon)
	}
	return &api.CreateResponse{Lease: l.wire()}, nil
}

func (s *leases) Delete(ctx context.Context, req *api.DeleteRequest) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = s.table.Delete(ns, req.ID); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.gc.after(ctx, ns, req.Sync)
}

func (s *leases) List(ctx context.Context, req *api.ListRequest) (*api.ListResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := parseFilters(req.Filters)
	if err != nil {
		return nil, err
	}
	all, err := s.table.List(ns, func(l lease) bool { return filter.Match(leaseFields(l)) })
	if err != nil {
		return nil, err
	}
	answer := &api.ListResponse{}
	for _, l := range all {
		answer.Leases = append(answer.Leases, l.wire())
	}
	return answer, nil
}

func leaseFields(l lease) filters.Adaptor {
	return filters.AdapterFunc(func(path []string) (string, bool) {
		switch {
		case len(path) == 0:
		case path[0] == "id":
			return l.ID, true
		case path[0] == "labels":
			v, ok := l.Labels[strings.Join(path[1:], ".")]
			return v, ok
		}
		return "", false
	})
}

// change updates a lease's list of resources.
func (s *leases) change(ctx context.Context, id string, r *api.Resource, with func([]resource, resource) []resource) (*emptypb.Empty, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	defer s.gc.rely()()
	return &emptypb.Empty{}, changeLease(s.table, ns, id, func(all []resource) []resource { return with(all, resource{r.GetID(), r.GetType()}) })
}

func changeLease(table *meta.Table[lease], ns, id string, change func([]resource) []resource) error {
	_, err := table.Update(ns, id, func(l lease) (lease, error) {
		l.Resources = change(l.Resources)
		if len(l.Resources) > maxResources {
			return l, &stages.Error{Kind: stages.Exhausted, Thing: "lease " + id, Err: errors.New("it lists too many resources")}
		}
		return l, nil
	})
	return err
}

func withResource(all []resource, r resource) []resource {
	if slices.Contains(all, r) {
		return all
	}
	return append(all, r)
}

func withoutResource(all []resource, r resource) []resource {
	return slices.DeleteFunc(all, func(have resource) bool { return have == r })
}

func (s *leases) AddResource(ctx context.Context, req *api.AddResourceRequest) (*emptypb.Empty, error) {
	return s.change(ctx, req.ID, req.Resource, withResource)
}

func (s *leases) DeleteResource(ctx context.Context, req *api.DeleteResourceRequest) (*emptypb.Empty, error) {
	return s.change(ctx, req.ID, req.Resource, withoutResource)
}

func (s *leases) ListResources(ctx context.Context, req *api.ListResourcesRequest) (*api.ListResourcesResponse, error) {
	ns, err := s.namespaces.of(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.table.Get(ns, req.ID)
	if err != nil {
		return nil, err
	}
	answer := &api.ListResourcesResponse{}
	for _, r := range l.Resources {
		answer.Resources = append(answer.Resources, &api.Resource{ID: r.ID, Type: r.Type})
	}
	return answer, nil
}
