package server

import (
	"net/http"
	"reflect"

	"github.com/moby/moby/api/types/container"
)

func (s *Server) pauseContainer(w http.ResponseWriter, r *http.Request) error {
	return noContent(w, s.engine.Pause(r.Context(), r.PathValue("id")))
}

func (s *Server) unpauseContainer(w http.ResponseWriter, r *http.Request) error {
	return noContent(w, s.engine.Unpause(r.Context(), r.PathValue("id")))
}

func (s *Server) topContainer(w http.ResponseWriter, r *http.Request) error {
	list, err := s.engine.Top(r.Context(), r.PathValue("id"), r.URL.Query().Get("ps_args"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) updateContainer(w http.ResponseWriter, r *http.Request) error {
	var asked container.UpdateConfig
	text, err := readBody(w, r, &asked)
	if err != nil {
		return err
	}
	if err := refuseUnknownIn(text, reflect.TypeFor[container.UpdateConfig]()); err != nil {
		return err
	}
	resp, err := s.engine.Update(r.Context(), r.PathValue("id"), asked)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, resp)
}
