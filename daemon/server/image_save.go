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
		w.Header().Set("Content-Type", "application/x-tar")
		w.WriteHeader(http.StatusOK)
	})
	return cutOff(w, begun, err)
}

// cutOff ends an archive that broke off in the middle by breaking the connection: one that ended in order would be taken for a whole one.
func cutOff(_ http.ResponseWriter, begun bool, err error) error {
	if err != nil && begun {
		panic(http.ErrAbortHandler)
	}
	return err
}
