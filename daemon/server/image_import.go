package server

import (
	"errors"
	"net/http"
	"strings"

	"hull/stages"

	"github.com/moby/moby/api/types/jsonstream"
)

// importImage is POST /images/create?fromSrc=-: the body is the root file system of a new image, as a tar.
func (s *Server) importImage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if src := q.Get("fromSrc"); src != "-" {
		return &stages.Error{Kind: stages.Unsupported, Thing: src, Err: errURL, Hint: "fetch it yourself and import it from standard input"}
	}
	name := q.Get("repo")
	if tag := q.Get("tag"); tag != "" {
		name += ":" + tag
	}
	img, err := s.engine.ImportImage(r.Context(), r.Body, name, q.Get("message"), lines(q["changes"]))
	if err != nil {
		return err
	}
	p := &report{w: w}
	p.say(jsonstream.Message{Status: img.ID.String()})
	return nil
}

var errURL = errors.New("hulld fetches nothing from the network for an import")

// lines splits what came as several parameters, or as one of several lines.
func lines(values []string) (all []string) {
	for _, v := range values {
		for _, line := range strings.Split(v, "\n") {
			if strings.TrimSpace(line) != "" {
				all = append(all, line)
			}
		}
	}
	return all
}
