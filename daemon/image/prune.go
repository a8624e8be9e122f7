package image

import (
	"context"
	"slices"
	"strings"
	"time"

	"hull/stages"
)

// PruneOptions say which unused images go.
type PruneOptions struct {
	All    bool      // also those that have a name
	Before time.Time // only images made before; zero for any
	Labels []string  // KEY or KEY=VALUE that all must hold
	Not    []string  // the same, that none may hold
}

// Prune removes images that no container was made from, and returns what it did and how many bytes that freed.
func (s *Images) Prune(ctx context.Context, o PruneOptions, users func(id string) []User) (gone []Removed, freed int64, err error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	all, err := s.List(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, img := range all {
		named := len(img.Familiar())+len(img.Digests()) > 0
		if named && !o.All || len(users(img.ID.String())) > 0 || !o.match(img) {
			continue
		}
		size, err := s.DiskSize(ctx, img)
		if err != nil {
			return gone, freed, err
		}
		removed, err := s.untag(ctx, img, img.Names, true, false)
		if stages.KindOf(err) == stages.NotFound && err != nil {
			continue // somebody else was faster
		}
		if gone = append(gone, removed); err != nil {
			return gone, freed, err
		}
		freed += size
	}
	return gone, freed, nil
}

func (o PruneOptions) match(img *Image) bool {
	has := func(l string) bool { return HasLabel(img.Config.Config.Labels, l) }
	if !o.Before.IsZero() && !img.Created().Before(o.Before) {
		return false
	}
	return !slices.ContainsFunc(o.Labels, func(l string) bool { return !has(l) }) && !slices.ContainsFunc(o.Not, has)
}

// HasLabel reports whether labels have what a filter says: KEY, or KEY=VALUE.
func HasLabel(labels map[string]string, filter string) bool {
	key, want, exact := strings.Cut(filter, "=")
	got, ok := labels[key]
	return ok && (!exact || got == want)
}

// Created is when the image says that it was made; the epoch if it does not.
func (i *Image) Created() time.Time {
	if i.Config.Created != nil {
		return *i.Config.Created
	}
	return time.Unix(0, 0)
}
