package server

import (
	"net/http"

	"hull/stages"
)

// pushImage is POST /images/{name}/push: one tag, or without one all of the repository.
func (s *Server) pushImage(w http.ResponseWriter, r *http.Request, name string) error {
	if r.URL.Query().Get("platform") != "" {
		return notOffered("push with platform")
	}
	if r.Header.Get("X-Registry-Auth") == "" {
		return failure(stages.Invalid, "X-Registry-Auth is missing: docker's API wants it for a push, {} for nobody")
	}
	login, err := loginOf(r)
	if err != nil {
		return err
	}
	p := &report{w: w}
	return p.end(s.engine.PushImage(r.Context(), name, r.URL.Query().Get("tag"), login, p.say))
}
