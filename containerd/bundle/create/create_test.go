package create_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"hull/containerd/bundle/create"
)

func run(args []string, in string) (code int, out, stderr string) {
	var o, e bytes.Buffer
	code = create.Main(args, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

func TestCreate(t *testing.T) {
	old := syscall.Umask(0o077) // a mode must not depend on it
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "b")
	const spec = `{"ociVersion": "1.2.0",   "hostname":"<&>" }`
	code, out, text := run([]string{"create"}, `{"bundle":"`+dir+`","spec":`+spec+`}`)
	require.Zero(t, code, text)
	require.Equal(t, `{"bundle":"`+dir+`"}`+"\n", out)
	written, err := os.ReadFile(dir + "/config.json")
	require.NoError(t, err)
	require.Equal(t, spec, string(written), "byte for byte")
	for path, mode := range map[string]os.FileMode{"": 0o700, "/rootfs": 0o755, "/config.json": 0o600} {
		info, err := os.Stat(dir + path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
	code, _, text = run([]string{"create"}, `{"bundle":"`+dir+`","spec":`+spec+`}`)
	require.Equal(t, 1, code)
	require.Contains(t, text, "bundle.create: "+dir+": file exists")
	require.FileExists(t, dir+"/config.json", "the first one stays")
}

func TestBadOrders(t *testing.T) {
	dir := t.TempDir()
	for in, want := range map[string]string{
		``:      "standard input",
		`{`:     "standard input",
		`hello`: "standard input",
		`{"bundle":"relative","spec":{"ociVersion":"1"}}`:                "not a clean absolute path",
		`{"bundle":"` + dir + `/../x","spec":{"ociVersion":"1"}}`:        "not a clean absolute path",
		`{"bundle":"` + dir + `/x\u0000y","spec":{"ociVersion":"1"}}`:    "not a clean absolute path",
		`{"bundle":"` + dir + `/x","spec":{}}`:                           "ociVersion",
		`{"bundle":"` + dir + `/x","spec":[]}`:                           "spec",
		`{"bundle":"` + dir + `/x"}`:                                     "spec",
		`{"bundle":"` + dir + `/missing/x","spec":{"ociVersion":"1.0"}}`: "no such file",
	} {
		code, out, text := run([]string{"create"}, in)
		require.Equal(t, 1, code, in)
		require.Empty(t, out)
		require.Contains(t, text, want, in)
		require.Equal(t, 1, strings.Count(text, "\n"), "one line")
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	for _, args := range [][]string{nil, {"make"}, {"create", "x"}} {
		code, _, text := run(args, "")
		require.Equal(t, 1, code)
		require.Contains(t, text, "usage")
	}
}
