package server

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"

	"hull/daemon/engine"
	"hull/daemon/rootfs"
	"hull/stages"

	"github.com/containerd/containerd/v2/pkg/archive/compression"
)

func (s *Server) archiveRoutes(handle registrar) {
	handle("HEAD /containers/{id}/archive", s.statArchive)
	handle("GET /containers/{id}/archive", s.getArchive)
	handle("PUT /containers/{id}/archive", s.putArchive)
	handle("GET /containers/{id}/export", s.exportContainer)
	handle("GET /containers/{id}/changes", s.containerChanges)
}

// archivePath is the path that all three want.
func archivePath(r *http.Request) (string, error) {
	path := r.URL.Query().Get("path")
	if path == "" {
		return "", failure(stages.Invalid, "missing path")
	}
	return path, nil
}

// statHeader tells what the path is, beside or instead of its content.
func statHeader(w http.ResponseWriter, stat rootfs.Stat) error {
	text, err := json.Marshal(stat)
	if err == nil {
		w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString(text))
	}
	return err
}

func (s *Server) statArchive(w http.ResponseWriter, r *http.Request) error {
	path, err := archivePath(r)
	if err != nil {
		return err
	}
	stat, err := s.engine.StatPath(r.Context(), r.PathValue("id"), path)
	if err != nil {
		return err
	}
	return statHeader(w, stat)
}

func (s *Server) getArchive(w http.ResponseWriter, r *http.Request) error {
	path, err := archivePath(r)
	if err != nil {
		return err
	}
	begun := false
	err = s.engine.CopyOut(r.Context(), r.PathValue("id"), path, func(stat rootfs.Stat) io.Writer {
		begun = true
		statHeader(w, stat) // a name that is no UTF-8 is made to fit
		return beginTar(w)
	})
	return cutOff(begun, err)
}

func (s *Server) putArchive(w http.ResponseWriter, r *http.Request) error {
	path, err := archivePath(r)
	if err != nil {
		return err
	}
	plain, err := compression.DecompressStream(r.Body)
	if err != nil {
		return failure(stages.Invalid, "archive: %v", err)
	}
	defer plain.Close()
	err = s.engine.CopyIn(r.Context(), r.PathValue("id"), engine.CopyIn{
		Path: path, Archive: plain, KeepKinds: boolParam(r, "noOverwriteDirNonDir"), Owner: boolParam(r, "copyUIDGID"),
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) exportContainer(w http.ResponseWriter, r *http.Request) error {
	begun := false
	err := s.engine.Export(r.Context(), r.PathValue("id"), func() io.Writer {
		begun = true
		return beginTar(w)
	})
	return cutOff(begun, err)
}

func (s *Server) containerChanges(w http.ResponseWriter, r *http.Request) error {
	changes, err := s.engine.Changes(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, changes)
}

func beginTar(w http.ResponseWriter) io.Writer {
	w.Header().Set("Content-Type", "application/x-tar")
	w.WriteHeader(http.StatusOK)
	return w
}

// cutOff ends an archive that broke off in the middle by breaking the connection: one that ended in order would be taken for a whole one.
func cutOff(begun bool, err error) error {
	if err != nil && begun {
		panic(http.ErrAbortHandler)
	}
	return err
}
