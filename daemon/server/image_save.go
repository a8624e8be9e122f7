package server

import "net/http"

// saveImages is GET /images/get?names=… and GET /images/{name}/get.
func (s *Server) saveImages(w http.ResponseWriter, r *http.Request, names []string) error {
	if r.URL.Query().Get("platform") != "" {
		return notOffered("save with platform")
	}
	begun := false
	err := s.engine.Images().Save(r.Context(), names, w, func() {
		begun = true
		beginTar(w)
	})
	return cutOff(begun, err)
}
