package daemon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"hull/client/dockertest"
	"hull/containerd/imagetest"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
)

// testPulls holds pull and push against Debian's docker-registry, and pull against registries that lie or break off.
func testPulls(t *testing.T, r *rig) {
	address := dockertest.StartRegistry(t, r.net)
	ref := address + "/some/busybox:1"
	r.ok(t, "tag", "busybox", ref)
	require.Regexp(t, `1: digest: sha256:[0-9a-f]{64} size: `, r.ok(t, "push", ref))
	r.ok(t, "rmi", ref)
	before := r.content(t)
	require.Contains(t, r.ok(t, "pull", ref), "Status: Downloaded newer image for "+ref)
	require.Contains(t, r.ok(t, "pull", ref), "Status: Image is up to date for "+ref)
	digest := strings.TrimSpace(r.ok(t, "image", "inspect", "-f", "{{index .RepoDigests 0}}", ref))
	require.Equal(t, "hi\n", r.run(t, "--rm", digest, "echo", "hi").stdout)
	require.Contains(t, r.ok(t, "rmi", ref), "Untagged: "+ref)
	require.Equal(t, before, r.content(t), "what nothing refers to is collected")
	r.hostileRegistries(t)
}

// content lists the blobs and uploads that containerd has.
func (r *rig) content(t *testing.T) string {
	blobs, err := r.ctd.Ctr("-n", "hull", "content", "ls", "-q")
	require.NoError(t, err)
	active, err := r.ctd.Ctr("-n", "hull", "content", "active")
	require.NoError(t, err)
	return blobs + strings.Join(lines(active)[1:], "\n")
}

// A liar is a registry with one image, x:1, that does what the test asks of it.
type liar struct {
	*httptest.Server
	docs  map[string][]byte // by digest, and the manifest also by its tag
	kinds map[string]string
	layer digest.Digest
	cut   atomic.Int64 // break off after so many bytes of the layer; 0: never
	asked atomic.Value // the Range of the last request for the layer
}

const (
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociIndex    = "application/vnd.oci.image.index.v1+json"
)

func (r *rig) newLiar(t *testing.T, layer []byte) *liar {
	l := &liar{docs: map[string][]byte{}, kinds: map[string]string{}, layer: digest.FromBytes(layer)}
	config := l.add(t, "application/vnd.oci.image.config.v1+json", map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": map[string]any{}, "rootfs": map[string]any{"type": "layers", "diff_ids": []string{l.layer.String()}},
	})
	l.docs[l.layer.String()] = layer
	layerDesc := map[string]any{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": l.layer, "size": len(layer)}
	l.tag(t, ociManifest, map[string]any{"schemaVersion": 2, "mediaType": ociManifest, "config": config, "layers": []any{layerDesc}})
	listener, err := r.net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	l.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: l}}
	l.Start()
	t.Cleanup(l.Close)
	return l
}

// add serves a document and returns its descriptor.
func (l *liar) add(t *testing.T, kind string, v any) map[string]any {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	d := digest.FromBytes(text)
	l.docs[d.String()], l.kinds[d.String()] = text, kind
	return map[string]any{"mediaType": kind, "digest": d, "size": len(text)}
}

func (l *liar) tag(t *testing.T, kind string, v any) map[string]any {
	desc := l.add(t, kind, v)
	d := desc["digest"].(digest.Digest).String()
	l.docs["1"], l.kinds["1"] = l.docs[d], kind
	return desc
}

func (l *liar) ref() string { return strings.TrimPrefix(l.URL, "http://") + "/x:1" }

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	body, ok := l.docs[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if kind := l.kinds[name]; kind != "" {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Docker-Content-Digest", digest.FromBytes(body).String())
	}
	if name != l.layer.String() {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
		return
	}
	asked := r.Header.Get("Range")
	l.asked.Store(asked)
	from := 0
	if asked != "" {
		fmt.Sscanf(asked, "bytes=%d-", &from)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)-from))
	if asked != "" {
		w.WriteHeader(http.StatusPartialContent)
	}
	if n := l.cut.Load(); n > 0 {
		w.Write(body[from:min(int(n), len(body))])
		panic(http.ErrAbortHandler)
	}
	w.Write(body[from:])
}

func (r *rig) hostileRegistries(t *testing.T) {
	before := r.content(t)
	layer := imagetest.Layer(t, []imagetest.Entry{{Name: "data", Body: strings.Repeat("data", 1<<19)}})
	refused := func(what string, l *liar, want string) {
		res := r.docker(t, nil, "pull", l.ref())
		require.Equal(t, 1, res.code, what)
		require.Contains(t, res.stderr, want, what)
		require.NotContains(t, res.stderr, "rpc error", what)
		require.Len(t, lines(res.stderr), 1, what)
		require.Equal(t, before, r.content(t), "%s: nothing is left", what)
	}
	l := r.newLiar(t, layer)
	l.docs[l.layer.String()] = append(bytes.Clone(layer[:len(layer)-1]), 1)
	refused("wrong layer", l, l.layer.String())

	l = r.newLiar(t, layer)
	manifest := l.tag(t, ociManifest, json.RawMessage(l.docs["1"]))
	manifest["platform"] = map[string]string{"os": "linux", "architecture": "s390x"}
	l.tag(t, ociIndex, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": []any{manifest}})
	refused("other platform", l, "no matching manifest for linux/"+runtime.GOARCH)

	l = r.newLiar(t, layer)
	l.tag(t, ociIndex, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "layers": []any{}, "config": map[string]any{}, "manifests": []any{}})
	refused("manifest and index at once", l, "")

	l = r.newLiar(t, layer)
	l.tag(t, ociManifest, map[string]any{"schemaVersion": 2, "mediaType": ociManifest, "annotations": map[string]string{"x": strings.Repeat("x", 9<<20)}})
	refused("huge manifest", l, "manifest")

	// A pull that breaks off names nothing; the next one goes on in the middle of the layer.
	l = r.newLiar(t, layer)
	l.cut.Store(int64(len(layer) / 2))
	res := r.docker(t, nil, "pull", l.ref())
	require.Equal(t, 1, res.code, res.stdout)
	require.NotContains(t, r.ok(t, "images"), l.ref()[:strings.LastIndexByte(l.ref(), ':')])
	l.cut.Store(0)
	require.Contains(t, r.ok(t, "pull", l.ref()), "Status: Downloaded newer image")
	require.Regexp(t, `^bytes=[1-9]`, l.asked.Load())
	r.ok(t, "rmi", l.ref())
	require.Equal(t, before, r.content(t))
}
