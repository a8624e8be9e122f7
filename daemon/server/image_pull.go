package server

import (
	"net/http"
	"runtime"
	"strings"

	"hull/daemon/distribution"
	"hull/stages"

	"github.com/moby/moby/api/pkg/authconfig"
)

// createImage is POST /images/create: a pull (fromImage) or an import (fromSrc).
func (s *Server) createImage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if p := q.Get("platform"); p != "" && p != "linux" && !strings.HasPrefix(p, "linux/"+runtime.GOARCH) {
		return notOffered("images for another platform (" + p + ")")
	}
	if q.Get("fromSrc") != "" {
		return s.importImage(w, r)
	}
	name, tag := q.Get("fromImage"), q.Get("tag")
	switch {
	case name == "":
		return failure(stages.Invalid, "fromImage or fromSrc is missing")
	case strings.Contains(tag, ":"):
		name += "@" + tag
	case tag != "":
		name += ":" + tag
	case !strings.Contains(name, "@") && !strings.Contains(name[strings.LastIndexByte(name, '/')+1:], ":"):
		return notOffered("pulling all tags of a repository")
	}
	login, err := loginOf(r)
	if err != nil {
		return err
	}
	p := &report{w: w}
	return p.end(s.engine.PullImage(r.Context(), name, login, p.say))
}

// loginOf is the login that docker's client sends along with each request to a registry.
func loginOf(r *http.Request) (distribution.Login, error) {
	text := r.Header.Get("X-Registry-Auth")
	if text == "" {
		return distribution.Login{}, nil
	}
	auth, err := authconfig.Decode(text)
	if err != nil {
		return distribution.Login{}, failure(stages.Invalid, "X-Registry-Auth: %v", err)
	}
	if auth.IdentityToken != "" { // the authorizer takes a token as the secret of nobody
		return distribution.Login{Secret: auth.IdentityToken}, nil
	}
	return distribution.Login{User: auth.Username, Secret: auth.Password}, nil
}
