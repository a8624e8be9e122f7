package server

import (
	"path"
	"slices"
	"strings"

	"hull/daemon/image"
	"hull/stages"

	"github.com/distribution/reference"
)

// imageMatches holds an image against docker's filters.
func imageMatches(img *image.Image, filters map[string][]string) (bool, error) {
	for _, v := range filters["dangling"] {
		if dangling := len(img.Familiar()) == 0; dangling != (v == "true" || v == "1") {
			return false, nil
		}
	}
	for _, l := range filters["label"] {
		key, want, exact := strings.Cut(l, "=")
		if got, ok := img.Config.Config.Labels[key]; !ok || exact && got != want {
			return false, nil
		}
	}
	if patterns := filters["reference"]; len(patterns) > 0 {
		for _, p := range patterns {
			if _, err := path.Match(p, ""); err != nil {
				return false, failure(stages.Invalid, "invalid filter 'reference=%s'", p)
			}
		}
		return slices.ContainsFunc(img.Familiar(), func(name string) bool {
			ref, err := reference.ParseNormalizedNamed(name)
			return err == nil && slices.ContainsFunc(patterns, func(p string) bool {
				ok, err := reference.FamiliarMatch(p, ref)
				return ok && err == nil
			})
		}), nil
	}
	return true, nil
}
