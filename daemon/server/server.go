// Package server is the HTTP side of hulld: the Docker Engine API, announced as 1.44 with a floor of 1.24, one file of handlers per resource.
//
// It is called by hulld's main. Handlers read a request, call one use case of daemon/engine and write docker's answer; they decide
// nothing about containers. Every input has a limit; what is not offered is refused by name (refuse.go).
//
// Traps (the docker client hangs without them): the headers of /wait are flushed before anything has happened; an attach connection's half-close is
// the end of input, not a client that left.
package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hull/daemon/engine"
	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span/otel"

	"golang.org/x/sys/unix"
)

const (
	apiVersion    = "1.44"
	minAPIVersion = "1.24"
	maxBody       = 4 << 20 // bytes of a JSON body
)

// A Server answers the Engine API.
type Server struct {
	inst    instance.Instance
	engine  *engine.Engine
	version Version
	debug   bool
	routes  *http.ServeMux
}

// Version is what hulld says of itself and of its containerd.
type Version struct{ Hull, Containerd string }

// New makes the server.
func New(inst instance.Instance, e *engine.Engine, v Version, debug bool) *Server {
	s := &Server{inst: inst, engine: e, version: v, debug: debug, routes: http.NewServeMux()}
	handle := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		s.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				writeError(w, r, err)
			}
		})
	}
	s.systemRoutes(handle)
	s.containerRoutes(handle)
	s.streamRoutes(handle)
	s.execRoutes(handle)
	s.imageRoutes(handle)
	s.archiveRoutes(handle)
	refusedRoutes(handle)
	return s
}

type registrar func(pattern string, h func(http.ResponseWriter, *http.Request) error)

// Serve answers requests on l until it is closed; tracing finds each request's place in its caller's trace.
func (s *Server) Serve(l net.Listener, tracing *otel.Tracing) error {
	h := &http.Server{
		Handler: tracing.Handler("Engine API", s), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, peerKey{}, peerPID(c))
		},
	}
	return h.Serve(l)
}

type peerKey struct{}

// peerPID is the process on the other end of a UNIX socket (unix(7), SO_PEERCRED), as it was when it connected.
func peerPID(c net.Conn) int {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	return pid
}

var versioned = regexp.MustCompile(`^/v([0-9]+)\.([0-9]+)(/.*)$`)

// ServeHTTP takes the version off the path and finds the route.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Api-Version", apiVersion)
	h.Set("Docker-Experimental", "false")
	h.Set("Ostype", "linux")
	h.Set("Server", "Hull/"+s.version.Hull+" (linux)")

	asked := apiVersion
	if m := versioned.FindStringSubmatch(r.URL.Path); m != nil {
		asked = m[1] + "." + m[2]
		if err := checkVersion(asked); err != nil {
			writeError(w, r, err)
			return
		}
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = m[3], ""
	}
	r = r.WithContext(context.WithValue(r.Context(), versionKey{}, asked))
	slog.Debug("request", "method", r.Method, "path", r.URL.Path)
	if _, pattern := s.routes.Handler(r); pattern == "" || path.Clean(r.URL.Path) != r.URL.Path {
		writeError(w, r, failure(stages.NotFound, "page not found"))
		return
	}
	s.routes.ServeHTTP(w, r)
}

type versionKey struct{}

// atLeast reports whether the request speaks this API version or a later one.
func atLeast(r *http.Request, version string) bool {
	asked, _ := r.Context().Value(versionKey{}).(string)
	return compareVersions(asked, version) >= 0
}

func checkVersion(asked string) error {
	if compareVersions(asked, minAPIVersion) < 0 {
		return failure(stages.Invalid, "client version %s is too old. Minimum supported API version is %s, please upgrade your client to a newer version", asked, minAPIVersion)
	}
	if compareVersions(asked, apiVersion) > 0 {
		return failure(stages.Invalid, "client version %s is too new. Maximum supported API version is %s", asked, apiVersion)
	}
	return nil
}

func compareVersions(a, b string) int {
	amajor, aminor, _ := strings.Cut(a, ".")
	bmajor, bminor, _ := strings.Cut(b, ".")
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 1 << 30 // more digits than an int has
		}
		return n
	}
	if d := number(amajor) - number(bmajor); d != 0 {
		return d
	}
	return number(aminor) - number(bminor)
}

func failure(kind stages.Kind, format string, args ...any) error {
	return &stages.Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// writeError answers with docker's form of an error.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, engine.ErrNotModified) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Context().Err() != nil {
		return // nobody listens any more
	}
	status := stages.KindOf(err).HTTP()
	if status >= 500 && status != http.StatusNotImplemented {
		slog.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err.Error())
	}
	writeJSON(w, status, map[string]string{"message": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(text, '\n')) // a client that left is no error of ours
	return nil
}

// readBody reads a JSON body whole, and refuses what is not JSON, or more than one document.
func readBody(w http.ResponseWriter, r *http.Request, into any) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(otel.ServerWriter(w, r), r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, failure(stages.Invalid, "request body is larger than %d bytes", maxBody)
	case err != nil:
		return nil, failure(stages.Invalid, "request body: %v", err)
	}
	if t := r.Header.Get("Content-Type"); len(text) > 0 && t != "" && !strings.HasPrefix(t, "application/json") {
		return nil, failure(stages.Invalid, "unsupported Content-Type header (%s): must be 'application/json'", t)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, failure(stages.Invalid, "invalid JSON: got EOF while reading request body")
	}
	if err := json.Unmarshal(text, into); err != nil {
		return nil, failure(stages.Invalid, "invalid JSON: %v", err)
	}
	return text, nil
}

// boolParam reads docker's booleans: everything but these five words for no is yes.
func boolParam(r *http.Request, name string) bool {
	switch strings.ToLower(strings.TrimSpace(r.URL.Query().Get(name))) {
	case "", "0", "no", "false", "none":
		return false
	}
	return true
}

// filtersParam reads docker's filters: {"name": {"value": true}}, or the older {"name": ["value"]}.
func filtersParam(r *http.Request) (map[string][]string, error) {
	text := r.URL.Query().Get("filters")
	if text == "" {
		return nil, nil
	}
	var sets map[string]map[string]bool
	if json.Unmarshal([]byte(text), &sets) == nil {
		out := map[string][]string{}
		for name, values := range sets {
			for v, on := range values {
				if on {
					out[name] = append(out[name], v)
				}
			}
		}
		return out, nil
	}
	var lists map[string][]string
	if err := json.Unmarshal([]byte(text), &lists); err != nil {
		return nil, failure(stages.Invalid, "invalid filters %q: %v", text, err)
	}
	return lists, nil
}
