package server

import (
	"encoding/json"
	"net/http"
	"strconv"

	"hull/daemon/engine"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
)

func (s *Server) containerRoutes(handle registrar) {
	handle("GET /containers/json", s.listContainers)
	handle("POST /containers/create", s.createContainer)
	handle("GET /containers/{id}/json", s.inspectContainer)
	handle("POST /containers/{id}/start", s.startContainer)
	handle("POST /containers/{id}/stop", s.stopContainer)
	handle("POST /containers/{id}/kill", s.killContainer)
	handle("POST /containers/{id}/resize", s.resizeContainer)
	handle("POST /containers/{id}/rename", s.renameContainer)
	handle("POST /containers/{id}/wait", s.waitContainer)
	handle("DELETE /containers/{id}", s.removeContainer)
}

func (s *Server) createContainer(w http.ResponseWriter, r *http.Request) error {
	req := engine.CreateRequest{Name: r.URL.Query().Get("name"), Platform: r.URL.Query().Get("platform")}
	text, err := readBody(w, r, &req.CreateRequest)
	if err != nil {
		return err
	}
	if err := oldMAC(text, &req.CreateRequest); err != nil {
		return err
	}
	if err := refuseUnknown(text); err != nil {
		return err
	}
	req.ClientPID, _ = r.Context().Value(peerKey{}).(int)
	resp, err := s.engine.Create(r.Context(), req)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, resp)
}

func (s *Server) listContainers(w http.ResponseWriter, r *http.Request) error {
	filters, err := filtersParam(r)
	if err != nil {
		return err
	}
	limit := 0
	if text := r.URL.Query().Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil {
			return failure(stages.Invalid, "invalid limit: %s", text)
		}
	}
	list, err := s.engine.List(r.Context(), engine.ListOptions{All: boolParam(r, "all"), Size: boolParam(r, "size"), Limit: limit, Filters: filters})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) inspectContainer(w http.ResponseWriter, r *http.Request) error {
	c, err := s.engine.Inspect(r.Context(), r.PathValue("id"), boolParam(r, "size"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c)
}

func (s *Server) startContainer(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("checkpoint") != "" {
		return notOffered("checkpoints")
	}
	return noContent(w, s.engine.Start(r.Context(), r.PathValue("id")))
}

func (s *Server) stopContainer(w http.ResponseWriter, r *http.Request) error {
	var timeout *int
	if text := r.URL.Query().Get("t"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil {
			return failure(stages.Invalid, "invalid stop timeout: %s", text)
		}
		timeout = &seconds
	}
	return noContent(w, s.engine.Stop(r.Context(), r.PathValue("id"), timeout, r.URL.Query().Get("signal")))
}

func (s *Server) killContainer(w http.ResponseWriter, r *http.Request) error {
	return noContent(w, s.engine.Kill(r.Context(), r.PathValue("id"), r.URL.Query().Get("signal")))
}

func (s *Server) resizeContainer(w http.ResponseWriter, r *http.Request) error {
	var size [2]uint64
	for i, name := range []string{"h", "w"} {
		var err error
		if size[i], err = strconv.ParseUint(r.URL.Query().Get(name), 10, 16); err != nil {
			return failure(stages.Invalid, "invalid resize %s: %q", map[string]string{"h": "height", "w": "width"}[name], r.URL.Query().Get(name))
		}
	}
	if err := s.engine.Resize(r.Context(), r.PathValue("id"), uint32(size[1]), uint32(size[0])); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) renameContainer(w http.ResponseWriter, r *http.Request) error {
	return noContent(w, s.engine.Rename(r.PathValue("id"), r.URL.Query().Get("name")))
}

func (s *Server) removeContainer(w http.ResponseWriter, r *http.Request) error {
	if boolParam(r, "link") {
		return notOffered("links between containers")
	}
	return noContent(w, s.engine.Remove(r.Context(), r.PathValue("id"), boolParam(r, "force")))
}

// waitContainer registers the wait, and only then sends the headers: the docker client starts the container when it has seen them.
func (s *Server) waitContainer(w http.ResponseWriter, r *http.Request) error {
	waiter, err := s.engine.Wait(r.Context(), r.PathValue("id"), container.WaitCondition(r.URL.Query().Get("condition")))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	http.NewResponseController(w).Flush()
	code, text, err := waiter.Done(r.Context())
	if err != nil {
		return nil // the client left
	}
	resp := container.WaitResponse{StatusCode: int64(code)}
	if text != "" {
		resp.Error = &container.WaitExitError{Message: text}
	}
	json.NewEncoder(w).Encode(resp)
	return nil
}

func noContent(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
