package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hull/stages"
	"hull/stages/instance"
	"hull/trace/span"
)

// serve runs Go's own HTTP server, an implementation that is not ours, on a UNIX socket.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30)+"s.sock") // longer than a socket's name may be
	l, err := instance.Listen("unix", socket, 0o600)
	require.NoError(t, err)
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return New(socket)
}

func TestPingSettlesTheVersion(t *testing.T) {
	for daemon, want := range map[string]string{"1.44": "1.44", "1.52": "1.44", "1.41": "1.41", "1.9": "", "1.40": "", "": "", "x": ""} {
		var asked []string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Method+" "+r.URL.Path)
			w.Header().Set("Api-Version", daemon)
			if r.Method == "HEAD" {
				w.WriteHeader(500) // a daemon from before HEAD
			}
		})
		err := c.Ping(t.Context())
		require.Equal(t, []string{"HEAD /_ping", "GET /_ping"}, asked)
		if want == "" {
			require.ErrorContains(t, err, "hull speaks 1.41 and later", "%q", daemon)
			require.Equal(t, stages.Unsupported, stages.KindOf(err))
			continue
		}
		require.NoError(t, err, daemon)
		require.Equal(t, want, c.Version())
	}
}

func TestErrors(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1.44/json":
			http.Error(w, `{"message":"no such thing"}`, 404)
		case "/v1.44/text":
			http.Error(w, "404 page not found", 404)
		case "/v1.44/garbage":
			io.WriteString(w, "{]")
		case "/v1.44/head":
			w.Header().Set("X", strings.Repeat("x", maxHead))
		case "/v1.44/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "[1")
		}
	})
	c.version = MaxAPI
	var into []int
	get := func(path string) error { return c.get(t.Context(), "GET", path, nil, nil, &into) }
	require.EqualError(t, get("/json"), "Error response from daemon: no such thing")
	require.True(t, IsNotFound(get("/text")))
	require.EqualError(t, get("/text"), "Error response from daemon: 404 page not found")
	require.ErrorContains(t, get("/garbage"), "GET /garbage: unreadable answer")
	require.ErrorContains(t, get("/head"), "longer than 65536 bytes")
	require.ErrorContains(t, get("/cut"), "unreadable answer")

	require.ErrorContains(t, New("/nowhere/s.sock").Ping(t.Context()), "/nowhere/s.sock: cannot reach the daemon: no such file or directory (start it with: hull up)")
}

// TestChunks sends and receives bodies whose length nobody knows beforehand, cut into every kind of piece.
func TestChunks(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != -1 {
			http.Error(w, fmt.Sprint(err, r.ContentLength), 400)
			return
		}
		for piece := 1; len(body) > 0; piece *= 7 {
			n := min(piece, len(body))
			w.Write(body[:n])
			w.(http.Flusher).Flush()
			body = body[n:]
		}
	})
	for _, size := range []int{0, 1, 100, 64 << 10, 1 << 20} {
		sent := bytes.Repeat([]byte("hull\r\n0\r\n"), size/9+1)[:size]
		resp, err := c.send(t.Context(), request{method: "POST", target: "/", body: bytes.NewReader(sent), length: -1})
		require.NoError(t, err)
		require.Equal(t, 200, resp.status)
		got, err := io.ReadAll(resp.body)
		resp.Close()
		require.NoError(t, err)
		require.True(t, bytes.Equal(sent, got), "%d bytes", size)
	}
}

// TestEarlyAnswer: a daemon that refuses an upload before it has read all of it is heard; its words are worth more than our EPIPE.
func TestEarlyAnswer(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"disk full"}`, http.StatusInsufficientStorage)
	})
	c.version = MaxAPI
	err := c.Load(t.Context(), io.LimitReader(zeros{}, 64<<20), func(string) {})
	require.EqualError(t, err, "Error response from daemon: disk full")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestTraceparent: each request of a traced run says which step it belongs to, and no other request does.
func TestTraceparent(t *testing.T) {
	var got []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Traceparent"))
		w.Header().Set("Api-Version", MaxAPI)
	})
	require.NoError(t, c.Ping(t.Context()))
	rec := span.New("hull", filepath.Join(t.TempDir(), "nobody.sock"), false)
	ctx, sp := span.Start(rec.Join(context.Background(), span.NewTrace()), stages.ClientCreate)
	require.NoError(t, c.Ping(ctx))
	require.Equal(t, []string{"", sp.Context().String()}, got)
}

// TestNoHTTP: what answers is something else.
func TestNoHTTP(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.WriteString(c, "220 smtp ready\r\n")
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	require.ErrorContains(t, New(socket).Ping(t.Context()), `the answer is not HTTP: "220 smtp ready"`)
}
