package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"hull/daemon/image"
	"hull/stages"

	imagetypes "github.com/moby/moby/api/types/image"
)

func (s *Server) imageRoutes(handle registrar) {
	handle("GET /images/json", s.listImages)
	handle("POST /images/load", s.loadImages)
	handle("GET /images/{rest...}", s.imageGet) // a name may hold slashes, so its action is cut off here
	handle("POST /images/{rest...}", s.imagePost)
	handle("DELETE /images/{name...}", s.removeImage)
}

func (s *Server) imageGet(w http.ResponseWriter, r *http.Request) error {
	if name, ok := strings.CutSuffix(r.PathValue("rest"), "/json"); ok {
		return s.inspectImage(w, r, name)
	}
	switch rest := r.PathValue("rest"); {
	case rest == "search":
		return notOffered("search in a registry")
	case rest == "get":
		return s.saveImages(w, r, r.URL.Query()["names"])
	case strings.HasSuffix(rest, "/get"):
		return s.saveImages(w, r, []string{strings.TrimSuffix(rest, "/get")})
	case strings.HasSuffix(rest, "/history"):
		rows, err := s.engine.Images().History(r.Context(), strings.TrimSuffix(rest, "/history"))
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, rows)
	}
	return failure(stages.NotFound, "page not found")
}

func (s *Server) imagePost(w http.ResponseWriter, r *http.Request) error {
	rest := r.PathValue("rest")
	if name, ok := strings.CutSuffix(rest, "/tag"); ok {
		return s.tagImage(w, r, name)
	}
	switch {
	case rest == "create":
		return s.createImage(w, r)
	case rest == "prune":
		return s.pruneImages(w, r)
	case strings.HasSuffix(rest, "/push"):
		return s.pushImage(w, r, strings.TrimSuffix(rest, "/push"))
	}
	return failure(stages.NotFound, "page not found")
}

// loadImages reads the archive straight from the request's body, and reports in docker's JSON lines.
func (s *Server) loadImages(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("platform") != "" {
		return notOffered("load with platform")
	}
	var lines []string
	err := s.engine.LoadImages(r.Context(), r.Body, func(img *image.Image) {
		if names := img.Familiar(); len(names) > 0 {
			lines = append(lines, "Loaded image: "+names[0]+"\n")
			return
		}
		lines = append(lines, "Loaded image ID: "+img.ID.String()+"\n")
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	out := json.NewEncoder(w)
	for _, line := range lines {
		out.Encode(map[string]string{"stream": line})
	}
	return nil
}

func (s *Server) inspectImage(w http.ResponseWriter, r *http.Request, name string) error {
	img, err := s.engine.Images().Inspect(r.Context(), name)
	if err != nil {
		return err
	}
	size, err := s.engine.Images().DiskSize(r.Context(), img)
	if err != nil {
		return err
	}
	resp := imagetypes.InspectResponse{
		ID: img.ID.String(), RepoTags: append([]string{}, img.Familiar()...), RepoDigests: append([]string{}, img.Digests()...),
		Created: img.Created().Format(time.RFC3339Nano), Comment: comment(img), Author: img.Config.Author, Config: &img.Config.Config, Architecture: img.Config.Architecture, Variant: img.Config.Variant,
		Os: img.Config.OS, OsVersion: img.Config.OSVersion, Size: size, RootFS: imagetypes.RootFS{Type: "layers"},
		Metadata: imagetypes.Metadata{LastTagTime: img.Added}, Descriptor: &img.Target,
	}
	for _, id := range img.Config.RootFS.DiffIDs {
		resp.RootFS.Layers = append(resp.RootFS.Layers, id.String())
	}
	return writeJSON(w, http.StatusOK, resp)
}

// comment is the last step's.
func comment(img *image.Image) string {
	if n := len(img.Config.History); n > 0 {
		return img.Config.History[n-1].Comment
	}
	return ""
}

func (s *Server) removeImage(w http.ResponseWriter, r *http.Request) error {
	gone, err := s.engine.RemoveImage(r.Context(), r.PathValue("name"), boolParam(r, "force"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, append([]imagetypes.DeleteResponse{}, deleted(gone)...))
}

func (s *Server) tagImage(w http.ResponseWriter, r *http.Request, name string) error {
	target := r.URL.Query().Get("repo")
	if tag := r.URL.Query().Get("tag"); tag != "" {
		target += ":" + tag
	}
	if err := s.engine.TagImage(r.Context(), name, target); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}
