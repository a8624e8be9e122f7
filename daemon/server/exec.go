package server

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"

	"hull/daemon/engine"
	"hull/stages"

	"github.com/moby/moby/api/types/container"
)

func (s *Server) execRoutes(handle registrar) {
	handle("POST /containers/{id}/exec", s.createExec)
	handle("POST /exec/{id}/start", s.startExec)
	handle("POST /exec/{id}/resize", s.resizeExec)
	handle("GET /exec/{id}/json", s.inspectExec)
}

func (s *Server) createExec(w http.ResponseWriter, r *http.Request) error {
	var req container.ExecCreateRequest
	text, err := readBody(w, r, &req)
	if err != nil {
		return err
	}
	if err := refuseUnknownIn(text, reflect.TypeFor[container.ExecCreateRequest](), "Detach", "Container"); err != nil { // old clients send these two
		return err
	}
	id, err := s.engine.CreateExec(r.Context(), r.PathValue("id"), req)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, container.ExecCreateResponse{ID: id})
}

// startExec takes the connection over before anything is started: what goes wrong with the start is told on it, and the client asks for the
// exit code, as docker's does.
func (s *Server) startExec(w http.ResponseWriter, r *http.Request) error {
	var req container.ExecStartRequest
	text, err := readBody(w, r, &req)
	if err != nil {
		return err
	}
	if err := refuseUnknownIn(text, reflect.TypeFor[container.ExecStartRequest]()); err != nil {
		return err
	}
	if req.ConsoleSize != nil && !req.Tty {
		return failure(stages.Invalid, "console size is only supported with a terminal: Tty is false")
	}
	x, err := s.engine.FindExec(r.PathValue("id"))
	if err != nil {
		return err
	}
	if req.Detach {
		if err := s.engine.StartExec(r.Context(), x, nil, req.ConsoleSize); err != nil {
			return err
		}
		w.WriteHeader(http.StatusOK)
		return nil
	}
	client, err := takeOver(w, r, x.TTY())
	if client == nil {
		return err
	}
	if err := s.engine.StartExec(r.Context(), x, client, req.ConsoleSize); err != nil {
		io.WriteString(client, frame(x.TTY(), engine.ExecFailure(err)))
		client.CloseWrite()
		client.Close()
	}
	return nil
}

// frame is a message of ours to a client of the stream.
func frame(tty bool, text string) string {
	if tty {
		return text
	}
	n := len(text)
	return string([]byte{1, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + text
}

func (s *Server) resizeExec(w http.ResponseWriter, r *http.Request) error {
	height, width, err := sizeParams(r)
	if err != nil {
		return err
	}
	if err := s.engine.ResizeExec(r.Context(), r.PathValue("id"), width, height); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) inspectExec(w http.ResponseWriter, r *http.Request) error {
	x, err := s.engine.InspectExec(r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, x)
}

// refuseUnknownIn is refuseUnknown for a document without structure; ignored are names that mean nothing any more.
func refuseUnknownIn(text []byte, t reflect.Type, ignored ...string) error {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(text, &top); err != nil {
		return failure(stages.Invalid, "invalid JSON: %v", err)
	}
	for _, name := range ignored {
		delete(top, name)
	}
	return unknownIn("", top, t)
}
