package server

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"hull/daemon/engine"
	"hull/stages"
)

// pruneContainers is POST /containers/prune: filters until, label and label!.
func (s *Server) pruneContainers(w http.ResponseWriter, r *http.Request) error {
	filters, err := filtersParam(r)
	if err != nil {
		return err
	}
	for name := range filters {
		if !slices.Contains([]string{"until", "label", "label!"}, name) {
			return failure(stages.Invalid, "invalid filter '%s'", name)
		}
	}
	o := engine.PruneOptions{Labels: func(labels map[string]string) bool {
		return hasLabels(labels, filters["label"]) && !slices.ContainsFunc(filters["label!"], func(l string) bool { return hasLabels(labels, []string{l}) })
	}}
	if until := filters["until"]; len(until) > 1 {
		return failure(stages.Invalid, "more than one until filter specified")
	} else if len(until) == 1 {
		if o.Until, err = moment(until[0], time.Now()); err != nil {
			return failure(stages.Invalid, "invalid filter 'until=%s': %v", until[0], err)
		}
	}
	report, err := s.engine.Prune(r.Context(), o)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, report)
}

// hasLabels holds labels against wanted ones, each NAME or NAME=VALUE: all must be there.
func hasLabels(labels map[string]string, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(l string) bool {
		key, value, exact := strings.Cut(l, "=")
		got, ok := labels[key]
		return !ok || exact && got != value
	})
}
