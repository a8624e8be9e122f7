package server

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"hull/daemon/image"
	"hull/stages"

	imagetypes "github.com/moby/moby/api/types/image"
)

// pruneImages is POST /images/prune.
func (s *Server) pruneImages(w http.ResponseWriter, r *http.Request) error {
	filters, err := filtersParam(r)
	if err != nil {
		return err
	}
	o := image.PruneOptions{Labels: filters["label"], Not: filters["label!"]}
	for name, values := range filters {
		if !slices.Contains([]string{"dangling", "until", "label", "label!"}, name) {
			return failure(stages.Invalid, "invalid filter '%s'", name)
		}
		for _, v := range values {
			switch name {
			case "dangling":
				dangling, err := boolFilter(name, v)
				if err != nil {
					return err
				}
				o.All = !dangling
			case "until":
				if o.Before, err = untilTime(v); err != nil {
					return err
				}
			}
		}
	}
	gone, freed, err := s.engine.PruneImages(r.Context(), o)
	if err != nil {
		return err
	}
	report := imagetypes.PruneReport{ImagesDeleted: []imagetypes.DeleteResponse{}, SpaceReclaimed: uint64(freed)}
	for _, g := range gone {
		report.ImagesDeleted = append(report.ImagesDeleted, deleted(g)...)
	}
	return writeJSON(w, http.StatusOK, report)
}

// untilTime reads a moment: a duration before now, Unix seconds, or a date.
func untilTime(v string) (time.Time, error) {
	if d, err := time.ParseDuration(v); err == nil {
		return time.Now().Add(-d), nil
	}
	if sec, err := strconv.ParseFloat(v, 64); err == nil {
		return time.Unix(0, int64(sec*1e9)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, v, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, failure(stages.Invalid, "invalid filter 'until=%s'", v)
}

func deleted(g image.Removed) (list []imagetypes.DeleteResponse) {
	for _, name := range g.Untagged {
		list = append(list, imagetypes.DeleteResponse{Untagged: name})
	}
	for _, id := range g.Deleted {
		list = append(list, imagetypes.DeleteResponse{Deleted: id})
	}
	return list
}
