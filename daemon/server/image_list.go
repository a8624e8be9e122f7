package server

import (
	"net/http"
	"slices"
	"sort"

	"hull/stages"

	imagetypes "github.com/moby/moby/api/types/image"
)

// listImages is GET /images/json. all=1 changes nothing: it is about the intermediate images of docker's old builder.
func (s *Server) listImages(w http.ResponseWriter, r *http.Request) error {
	filters, err := filtersParam(r)
	if err != nil {
		return err
	}
	for name := range filters {
		if !slices.Contains([]string{"reference", "label", "dangling", "before", "since"}, name) {
			return failure(stages.Invalid, "invalid filter '%s'", name)
		}
	}
	all, err := s.engine.Images().List(r.Context())
	if err != nil {
		return err
	}
	match, err := s.imageFilter(r.Context(), filters)
	if err != nil {
		return err
	}
	list := []imagetypes.Summary{}
	for _, img := range all {
		if !match(img) {
			continue
		}
		size, err := s.engine.Images().DiskSize(r.Context(), img)
		if err != nil {
			return err
		}
		list = append(list, imagetypes.Summary{
			ID: img.ID.String(), Created: img.Created().Unix(), Labels: img.Config.Config.Labels, RepoTags: matching(img.Familiar(), filters["reference"]),
			RepoDigests: matching(img.Digests(), filters["reference"]), SharedSize: -1, Size: size, Containers: int64(len(s.engine.UsersOf(img.ID.String()))),
		})
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Created > list[j].Created })
	return writeJSON(w, http.StatusOK, list)
}

// matching is those of the names that were asked for.
func matching(names, patterns []string) []string {
	list := []string{}
	for _, name := range names {
		if len(patterns) == 0 || matchesAny(name, patterns) {
			list = append(list, name)
		}
	}
	return list
}
