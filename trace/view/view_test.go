package view_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hull/stages/probetest"
	"hull/trace/model"
	"hull/trace/model/modeltest"
	"hull/trace/view"

	"github.com/stretchr/testify/require"
)

func save(t *testing.T, trace *model.Trace) string {
	file := filepath.Join(t.TempDir(), "trace.html")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, view.Write(f, trace))
	require.NoError(t, f.Close())
	return file
}

// recorded is a trace of a real run (testdata/README.md says how it was made).
func recorded(t *testing.T, name string) *model.Trace {
	f, err := os.Open("testdata/" + name + ".json.gz")
	require.NoError(t, err)
	defer f.Close()
	text, err := gzip.NewReader(f)
	require.NoError(t, err)
	var trace model.Trace
	require.NoError(t, json.NewDecoder(text).Decode(&trace))
	return &trace
}

// TestSelfContained looks at the file as text: nothing in it points outside, and it is small.
func TestSelfContained(t *testing.T) {
	for _, trace := range []*model.Trace{modeltest.Run(), modeltest.Hostile(), recorded(t, "run")} {
		var out bytes.Buffer
		require.NoError(t, view.Write(&out, trace))
		require.Less(t, out.Len(), 1<<20)
		require.NotRegexp(t, regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?\s*(https?:|//)`), out.String())
		require.NotContains(t, out.String(), "@import")
		require.NotContains(t, out.String(), "unsafe-inline")
		require.Equal(t, 2, strings.Count(out.String(), "</script>"), "the data and the program, and nothing that a name brought")
	}
}

// TestProgram runs the program's own tests under node, on the data of a page; each is a test here.
func TestProgram(t *testing.T) {
	probetest.Need(t, "node")
	for name, trace := range map[string]*model.Trace{"made up": modeltest.Liar(), "recorded": recorded(t, "run")} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("node", "--test", "--test-reporter=tap", "testdata/")
			cmd.Env = append(os.Environ(), "TRACE_PAGE="+save(t, trace))
			out, err := cmd.CombinedOutput()
			lines := regexp.MustCompile(`(?m)^\s*(not ok|ok) \d+ - (.*)$`).FindAllStringSubmatch(string(out), -1)
			require.NotEmpty(t, lines, "%s", out)
			for _, l := range lines {
				t.Run(strings.TrimSpace(l[2]), func(t *testing.T) { require.Equal(t, "ok", l[1]) })
			}
			require.NoError(t, err, "%s", out)
		})
	}
}
