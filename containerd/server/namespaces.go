package server

import (
	"context"
	"sort"
	"strings"
	"sync"

	apievents "github.com/containerd/containerd/api/events"
	api "github.com/containerd/containerd/api/services/namespaces/v1"
	"github.com/containerd/containerd/v2/pkg/identifiers"
	ctdns "github.com/containerd/containerd/v2/pkg/namespaces"
	"google.golang.org/protobuf/types/known/emptypb"

	"hull/containerd/meta"
	"hull/stages"
)

// namespaces are the namespaces there are: those made by name, and those in which something was made.
type namespaces struct {
	db    *meta.DB
	table *meta.Table[map[string]string] // labels; one record under the namespace's own name

	mu    sync.Mutex
	known map[string]bool
}

const kindNamespace = "namespace"

func newNamespaces(db *meta.DB) *namespaces {
	return &namespaces{db: db, table: meta.JSON[map[string]string](db, kindNamespace), known: map[string]bool{}}
}

// of is the namespace of a call. It is checked: it becomes a directory's name.
func (n *namespaces) of(ctx context.Context) (string, error) {
	ns, err := ctdns.NamespaceRequired(ctx)
	if err != nil {
		return "", &stages.Error{Kind: stages.Invalid, Thing: "namespace", Err: err}
	}
	return ns, nil
}

// use is of for a call that makes something: the namespace is there from then on. It costs a write the first time only.
func (n *namespaces) use(ctx context.Context) (string, error) {
	ns, err := n.of(ctx)
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known[ns] {
		return ns, nil
	}
	if _, err := n.table.Get(ns, ns); stages.KindOf(err) == stages.NotFound && err != nil {
		err = n.table.Create(ns, ns, nil, false)
		if err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	n.known[ns] = true
	return ns, nil
}

func (n *namespaces) forget(ns string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, ns)
}

// namespaceService is the service of the same name.
type namespaceService struct {
	api.UnimplementedNamespacesServer
	*server
}

func (s *namespaceService) Get(_ context.Context, req *api.GetNamespaceRequest) (*api.GetNamespaceResponse, error) {
	labels, err := s.namespaces.table.Get(req.Name, req.Name)
	if err != nil {
		return nil, err
	}
	return &api.GetNamespaceResponse{Namespace: &api.Namespace{Name: req.Name, Labels: labels}}, nil
}

func (s *namespaceService) List(context.Context, *api.ListNamespacesRequest) (*api.ListNamespacesResponse, error) {
	names, err := s.db.Namespaces()
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	answer := &api.ListNamespacesResponse{}
	for _, name := range names {
		if labels, err := s.namespaces.table.Get(name, name); err == nil {
			answer.Namespaces = append(answer.Namespaces, &api.Namespace{Name: name, Labels: labels})
		}
	}
	return answer, nil
}

func (s *namespaceService) Create(_ context.Context, req *api.CreateNamespaceRequest) (*api.CreateNamespaceResponse, error) {
	n := req.GetNamespace()
	if err := identifiers.Validate(n.GetName()); err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "namespace", Err: err}
	}
	if err := checkLabels(n.Labels); err != nil {
		return nil, err
	}
	if err := s.namespaces.table.Create(n.Name, n.Name, n.Labels, false); err != nil {
		return nil, err
	}
	return &api.CreateNamespaceResponse{Namespace: n}, s.events.Publish(n.Name, "/namespaces/create",
		&apievents.NamespaceCreate{Name: n.Name, Labels: n.Labels})
}

func (s *namespaceService) Update(_ context.Context, req *api.UpdateNamespaceRequest) (*api.UpdateNamespaceResponse, error) {
	n := req.GetNamespace()
	labels, err := s.namespaces.table.Update(n.GetName(), n.GetName(), func(old map[string]string) (map[string]string, error) {
		return changeLabels(old, n.Labels, req.GetUpdateMask().GetPaths())
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateNamespaceResponse{Namespace: &api.Namespace{Name: n.Name, Labels: labels}}, s.events.Publish(n.Name, "/namespaces/update",
		&apievents.NamespaceUpdate{Name: n.Name, Labels: labels})
}

func (s *namespaceService) Delete(_ context.Context, req *api.DeleteNamespaceRequest) (*emptypb.Empty, error) {
	if err := identifiers.Validate(req.Name); err != nil {
		return nil, &stages.Error{Kind: stages.Invalid, Thing: "namespace", Err: err}
	}
	if err := s.db.RemoveNamespace(req.Name, kindNamespace); err != nil {
		return nil, err
	}
	s.namespaces.forget(req.Name)
	return &emptypb.Empty{}, s.events.Publish(req.Name, "/namespaces/delete", &apievents.NamespaceDelete{Name: req.Name})
}

// maxLabel bounds a label's key and value together, as containerd does.
const maxLabel = 4096

func checkLabels(labels map[string]string) error {
	for k, v := range labels {
		if k == "" || len(k)+len(v) > maxLabel {
			return &stages.Error{Kind: stages.Invalid, Thing: "label " + k[:min(len(k), 40)], Err: errLabel}
		}
	}
	return nil
}

// changeLabels applies an update: paths "labels.KEY" change one label each (an empty value removes it), "labels" or no path all of them.
func changeLabels(old, new map[string]string, paths []string) (map[string]string, error) {
	if err := checkLabels(new); err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return new, nil
	}
	labels := map[string]string{}
	for k, v := range old {
		labels[k] = v
	}
	for _, path := range paths {
		key, one := strings.CutPrefix(path, "labels.")
		switch {
		case one && new[key] != "":
			labels[key] = new[key]
		case one:
			delete(labels, key)
		case path == "labels":
			labels = new
		default:
			return nil, &stages.Error{Kind: stages.Invalid, Thing: "field " + path, Err: errImmutable}
		}
	}
	return labels, nil
}
