package server

import (
	"encoding/json"
	"net/http"
	"slices"
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
	case rest == "get", strings.HasSuffix(rest, "/get"):
		return notOffered("save of images")
	case strings.HasSuffix(rest, "/history"):
		return notOffered("image history")
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
		return notOffered("image prune")
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

func (s *Server) listImages(w http.ResponseWriter, r *http.Request) error {
	filters, err := filtersParam(r)
	if err != nil {
		return err
	}
	for name := range filters {
		if !slices.Contains([]string{"reference", "label", "dangling"}, name) {
			return failure(stages.Invalid, "invalid filter '%s'", name)
		}
	}
	all, err := s.engine.Images().List(r.Context())
	if err != nil {
		return err
	}
	list := []imagetypes.Summary{}
	for _, img := range all {
		if match, err := imageMatches(img, filters); err != nil {
			return err
		} else if !match {
			continue
		}
		list = append(list, imagetypes.Summary{
			ID: img.ID.String(), Created: created(img).Unix(), Labels: img.Config.Config.Labels, RepoTags: append([]string{}, img.Familiar()...),
			RepoDigests: append([]string{}, img.Digests()...), SharedSize: -1, Size: img.Size, Containers: int64(len(s.engine.UsersOf(img.ID.String()))),
		})
	}
	return writeJSON(w, http.StatusOK, list)
}

func created(img *image.Image) time.Time {
	if img.Config.Created != nil {
		return *img.Config.Created
	}
	return time.Unix(0, 0)
}

func (s *Server) inspectImage(w http.ResponseWriter, r *http.Request, name string) error {
	img, err := s.engine.Images().Find(r.Context(), name)
	if err != nil {
		return err
	}
	resp := imagetypes.InspectResponse{
		ID: img.ID.String(), RepoTags: append([]string{}, img.Familiar()...), RepoDigests: append([]string{}, img.Digests()...), Created: created(img).Format(time.RFC3339Nano),
		Author: img.Config.Author, Config: &img.Config.Config, Architecture: img.Config.Architecture, Variant: img.Config.Variant,
		Os: img.Config.OS, OsVersion: img.Config.OSVersion, Size: img.Size, RootFS: imagetypes.RootFS{Type: "layers"},
	}
	for _, id := range img.Config.RootFS.DiffIDs {
		resp.RootFS.Layers = append(resp.RootFS.Layers, id.String())
	}
	return writeJSON(w, http.StatusOK, resp)
}

func (s *Server) removeImage(w http.ResponseWriter, r *http.Request) error {
	gone, err := s.engine.RemoveImage(r.Context(), r.PathValue("name"), boolParam(r, "force"))
	if err != nil {
		return err
	}
	list := []imagetypes.DeleteResponse{}
	for _, name := range gone.Untagged {
		list = append(list, imagetypes.DeleteResponse{Untagged: name})
	}
	if gone.Deleted != "" {
		list = append(list, imagetypes.DeleteResponse{Deleted: gone.Deleted})
	}
	return writeJSON(w, http.StatusOK, list)
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
