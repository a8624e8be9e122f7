package server

import (
	"context"
	"path"
	"slices"

	"hull/daemon/image"
	"hull/stages"

	"github.com/distribution/reference"
)

// imageFilter turns docker's filters of images into one condition.
func (s *Server) imageFilter(ctx context.Context, filters map[string][]string) (func(*image.Image) bool, error) {
	var conditions []func(*image.Image) bool
	for _, v := range filters["dangling"] {
		want, err := boolFilter("dangling", v)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, func(i *image.Image) bool { return want == (len(i.Familiar()) == 0 && len(i.Digests()) == 0) })
	}
	for _, l := range filters["label"] {
		conditions = append(conditions, func(i *image.Image) bool { return image.HasLabel(i.Config.Config.Labels, l) })
	}
	for _, name := range []string{"before", "since"} {
		for _, ref := range filters[name] {
			other, err := s.engine.Images().Find(ctx, ref)
			if err != nil {
				return nil, err
			}
			at := other.Created()
			conditions = append(conditions, func(i *image.Image) bool {
				if name == "before" {
					return i.Created().Before(at)
				}
				return i.Created().After(at)
			})
		}
	}
	if patterns := filters["reference"]; len(patterns) > 0 {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				return nil, failure(stages.Invalid, "invalid filter 'reference=%s'", p)
			}
		}
		conditions = append(conditions, func(i *image.Image) bool {
			return slices.ContainsFunc(append(i.Familiar(), i.Digests()...), func(name string) bool { return matchesAny(name, patterns) })
		})
	}
	return func(i *image.Image) bool {
		return !slices.ContainsFunc(conditions, func(c func(*image.Image) bool) bool { return !c(i) })
	}, nil
}

func boolFilter(name, value string) (bool, error) {
	switch value {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, failure(stages.Invalid, "invalid filter '%s=[%s]'", name, value)
}

func matchesAny(name string, patterns []string) bool {
	ref, err := reference.ParseNormalizedNamed(name)
	return err == nil && slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := reference.FamiliarMatch(p, ref)
		return ok && err == nil
	})
}
