package collect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hull/stages"
	"hull/trace/export"
	"hull/trace/model"
)

// The control interface, docs/seams.md section 4. Who asks is taken from the socket (SO_PEERCRED): a trace is its owner's and root's.

type peerKey struct{}

// serve answers until the listener is closed.
func (c *collector) serve(l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /traces", c.postTrace)
	mux.HandleFunc("PATCH /traces/{id}", c.patchTrace)
	mux.HandleFunc("POST /traces/{id}/end", c.endTrace)
	mux.HandleFunc("GET /traces", c.listTraces)
	mux.HandleFunc("GET /traces/{id}", c.getTrace)
	mux.HandleFunc("GET /traces/{id}/export", c.exportTrace)
	mux.HandleFunc("DELETE /traces/{id}", c.deleteTrace)
	mux.HandleFunc("GET /kernel", c.getKernel)
	srv := &http.Server{
		Handler: http.MaxBytesHandler(mux, 1<<20),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			who, err := peerOf(conn.(*net.UnixConn))
			if err != nil {
				return ctx
			}
			return context.WithValue(ctx, peerKey{}, who.Uid)
		},
		MaxHeaderBytes: 64 << 10,
	}
	if err := srv.Serve(l); !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// uidOf is the asking process's uid; nobody's, if the kernel did not say.
func uidOf(req *http.Request) uint32 {
	if uid, ok := req.Context().Value(peerKey{}).(uint32); ok {
		return uid
	}
	return 65534
}

func (c *collector) postTrace(w http.ResponseWriter, req *http.Request) {
	var body struct {
		ID      string   `json:"id"`
		PID     int      `json:"pid"`
		Command []string `json:"command"`
	}
	if err := decode(req, &body); err != nil {
		refuse(w, err)
		return
	}
	uid := uidOf(req)
	if uid != 0 && !ownedBy(body.PID, uid) {
		refuse(w, &stages.Error{Kind: stages.Denied, Thing: "pid", Err: errors.New("another user's process")})
		return
	}
	r, err := c.begin(body.ID, body.PID, body.Command, uid)
	if err != nil {
		refuse(w, err)
		return
	}
	c.mu.Lock()
	answer := struct {
		ID     string `json:"id"`
		Kernel bool   `json:"kernel"`
		Reason string `json:"reason"`
	}{ID: r.id, Kernel: r.handle != 0}
	if !answer.Kernel {
		answer.Reason = r.notes[0]
	}
	c.mu.Unlock()
	reply(w, http.StatusCreated, answer)
}

func (c *collector) patchTrace(w http.ResponseWriter, req *http.Request) {
	var body struct {
		Container string `json:"container"`
	}
	if err := decode(req, &body); err != nil {
		refuse(w, err)
		return
	}
	r, err := c.running(req)
	if err != nil {
		refuse(w, err)
		return
	}
	c.mu.Lock()
	r.container = body.Container
	c.mu.Unlock()
	reply(w, http.StatusOK, struct{}{})
}

func (c *collector) endTrace(w http.ResponseWriter, req *http.Request) {
	r, err := c.running(req)
	if err != nil {
		// It ended by itself, just before: the stored one answers.
		if t, _, err := c.find(req.PathValue("id"), uidOf(req)); err == nil {
			reply(w, http.StatusOK, t.Summary())
			return
		}
		refuse(w, err)
		return
	}
	if !c.leave(r) {
		select {
		case <-r.done:
		case <-req.Context().Done():
			return
		}
	}
	t, _, err := c.find(r.id, uidOf(req))
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, t.Summary())
}

// running is the run that the request names by its full id.
func (c *collector) running(req *http.Request) (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, uid := c.runs[req.PathValue("id")], uidOf(req)
	if r == nil || r.ended != 0 || uid != 0 && uid != r.owner {
		return nil, &stages.Error{Kind: stages.NotFound, Thing: req.PathValue("id"), Err: errors.New("no such trace goes on")}
	}
	return r, nil
}

func (c *collector) listTraces(w http.ResponseWriter, req *http.Request) {
	uid := uidOf(req)
	c.mu.Lock()
	all := []model.Summary{}
	for _, r := range c.runs {
		if r.ended == 0 && (uid == 0 || uid == r.owner) {
			all = append(all, build(r, c.lostOf(r)).Summary())
		}
	}
	for _, e := range c.store.find("", uid) {
		if !c.open(e.ID) {
			all = append(all, e.Summary)
		}
	}
	c.mu.Unlock()
	slices.SortFunc(all, func(a, b model.Summary) int { return cmp.Compare(b.Start, a.Start) })
	reply(w, http.StatusOK, all)
}

func (c *collector) getTrace(w http.ResponseWriter, req *http.Request) {
	t, err := c.show(req)
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, t)
}

// getKernel says whether the kernel's side of a run can be recorded.
func (c *collector) getKernel(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, struct {
		Kernel bool   `json:"kernel"`
		Reason string `json:"reason"`
	}{c.tracer != nil, c.reason})
}

// show is the trace that is asked for. One whose client has left and whose container has ended is about to be complete: it is waited for, so
// that `docker run; hull trace show last` shows the whole.
func (c *collector) show(req *http.Request) (*model.Trace, error) {
	c.settle()
	t, r, err := c.find(req.PathValue("id"), uidOf(req))
	if err != nil || r == nil || !c.ending(r) {
		return t, err
	}
	select {
	case <-r.done:
	case <-time.After(showWait):
	case <-req.Context().Done():
	}
	t, _, err = c.find(r.id, uidOf(req))
	return t, err
}

// types are the media types of the exports.
var types = map[string]string{"html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8"}

func (c *collector) exportTrace(w http.ResponseWriter, req *http.Request) {
	format := req.URL.Query().Get("format")
	if !slices.Contains(export.Formats, format) {
		refuse(w, &stages.Error{Kind: stages.Invalid, Thing: "format " + format, Err: errors.New("unknown"), Hint: "jaeger, otlp, html, text or json"})
		return
	}
	form, err := textForm(req.URL.Query())
	if err != nil {
		refuse(w, err)
		return
	}
	t, err := c.show(req)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", cmp.Or(types[format], "application/json"))
	write := func() error { return export.Write(w, format, t) }
	if format == "text" {
		write = func() error { return form.Write(w, t) }
	}
	if err := write(); err != nil {
		slog.Warn("export", "trace", t.ID, "format", format, "err", err)
	}
}

// textForm reads how a terminal timeline is to be written. What is not said is left to trace/export.
func textForm(query url.Values) (export.Text, error) {
	width, _ := strconv.Atoi(query.Get("width"))
	form := export.Text{Level: query.Get("level"), Width: width, Color: query.Get("color") == "true"}
	if form.Level != "" && !slices.Contains(export.Levels, form.Level) {
		return form, &stages.Error{Kind: stages.Invalid, Thing: "level " + form.Level, Err: errors.New("unknown"), Hint: strings.Join(export.Levels, ", ")}
	}
	return form, nil
}

func (c *collector) deleteTrace(w http.ResponseWriter, req *http.Request) {
	t, r, err := c.find(req.PathValue("id"), uidOf(req))
	if err == nil && r != nil {
		err = &stages.Error{Kind: stages.Conflict, Thing: t.ID, Err: errors.New("the trace goes on")}
	}
	if err == nil {
		c.mu.Lock()
		if r := c.runs[t.ID]; r != nil { // complete but for its client's exit
			c.forget(r, t)
		}
		err = c.store.remove(t.ID)
		c.mu.Unlock()
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func decode(req *http.Request, into any) error {
	if err := json.NewDecoder(req.Body).Decode(into); err != nil {
		return &stages.Error{Kind: stages.Invalid, Thing: "request body", Err: err}
	}
	return nil
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// refuse answers as the Engine API does: {"message": "…"}.
func refuse(w http.ResponseWriter, err error) {
	reply(w, stages.KindOf(err).HTTP(), struct {
		Message string `json:"message"`
	}{err.Error()})
}
