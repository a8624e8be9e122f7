package view_test

import (
	"bytes"
	"fmt"
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

// TestSelfContained looks at the file as text: nothing in it points outside, and it is small.
func TestSelfContained(t *testing.T) {
	for _, trace := range []*model.Trace{modeltest.Run(), modeltest.Hostile()} {
		var out bytes.Buffer
		require.NoError(t, view.Write(&out, trace))
		require.Less(t, out.Len(), 1<<20)
		require.NotRegexp(t, regexp.MustCompile(`(?i)(src|href)\s*=\s*["']?\s*(https?:|//)`), out.String())
		require.NotContains(t, out.String(), "@import")
		require.NotContains(t, out.String(), "unsafe-inline")
		require.Equal(t, 2, strings.Count(out.String(), "</script>"), "the data and the program, and nothing that a name brought")
	}
}

// TestProgram runs the program's own tests under node, on the data of a page.
func TestProgram(t *testing.T) {
	probetest.Need(t, "node")
	t.Setenv("TRACE_PAGE", save(t, modeltest.Liar()))
	out, err := exec.Command("node", "--test", "testdata/").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestBrowser shows pages in a real browser, one after the other: starting one is what takes time.
func TestBrowser(t *testing.T) {
	b := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *browser)
	}{{"page", testPage}, {"claim against proof", testClaimAgainstProof}, {"narrow", testNarrow}, {"hostile names", testHostileNames}} {
		t.Run(test.name, func(t *testing.T) { test.run(t, b) })
	}
}

// testPage opens the page from disk as a reader does: a lane per process, a click explains a step, the keys go on in time.
func testPage(t *testing.T, b *browser) {
	run := modeltest.Run()
	b.open(t, save(t, run), 1280, 860, "light")
	b.picture("run-light")
	require.EqualValues(t, len(run.Processes), b.eval("document.querySelectorAll('#gutter .lane').length"))
	require.Contains(t, b.text("#figures"), fmt.Sprintf("%d steps", len(run.Spans)))
	require.Contains(t, b.text("#panel"), "One run, told twice")

	// A real click, on the first step's bar: below the ruler, in the first lane's first row.
	box := b.eval("(({left, top, width}) => [left, top, width])(document.getElementById('canvas').getBoundingClientRect())").([]any)
	b.click(box[0].(float64)+box[2].(float64)/2, box[1].(float64)+16)
	require.Contains(t, b.text("#panel"), "client.command")
	require.Contains(t, b.text("#panel h2"), "The user's command starts")
	require.Contains(t, b.text("#panel"), "✓ proved")
	require.Contains(t, b.text("#said"), "client.command, proved")
	b.picture("run-selected")

	first := b.text("#panel")
	b.key(".")
	require.NotEqual(t, first, b.text("#panel"))
	b.key("Escape")
	require.Contains(t, b.text("#panel"), "One run, told twice")

	b.key("f")
	b.eval("window.before = document.getElementById('canvas').toDataURL(), true")
	changed := "document.getElementById('canvas').toDataURL() !== window.before"
	b.key("w")
	require.Equal(t, true, b.eval(changed), "W zooms")
	b.key("f")
	require.Equal(t, false, b.eval(changed), "F shows the whole run again")
	b.call("Input.dispatchMouseEvent", map[string]any{"type": "mouseWheel", "x": box[0].(float64) + 200, "y": box[1].(float64) + 100, "deltaX": 0, "deltaY": -240})
	b.frame()
	require.Equal(t, true, b.eval(changed), "the wheel zooms")

	b.key("?")
	require.Contains(t, b.text("#help"), "zoom in")
	b.key("Escape")
	b.key("t")
	require.EqualValues(t, len(run.Spans)+len(run.Events), b.eval("document.querySelectorAll('#table tbody tr').length"))
	b.picture("run-table")
	b.inert()
}

// testClaimAgainstProof: a step that was only claimed is told as such, with what is missing.
func testClaimAgainstProof(t *testing.T, b *browser) {
	liar := modeltest.Liar()
	var pivot model.Span
	for _, s := range liar.Spans {
		if s.Proof == model.Unproved {
			pivot = s
		}
	}
	b.open(t, save(t, liar)+"#span="+pivot.ID, 1280, 860, "dark")
	require.Contains(t, b.text("#panel .proof"), "✗ claimed, not proved")
	require.Contains(t, b.text("#panel .proof"), "no kernel.pivot_root in this process in this time")
	require.Contains(t, b.text("#notes"), "12 kernel events")
	b.picture("liar-dark")
	b.inert()
}

// testNarrow: on a small window the panel goes below the picture; a trace without kernel rows says so.
func testNarrow(t *testing.T, b *browser) {
	b.open(t, save(t, modeltest.Unseen()), 800, 900, "light")
	require.Contains(t, b.text("#notes"), "kernel rows absent: no BPF rights (EPERM)")
	require.Equal(t, true, b.eval("document.documentElement.scrollWidth <= 800"))
	require.Equal(t, true, b.eval("document.getElementById('panel').getBoundingClientRect().top > document.getElementById('scroll').getBoundingClientRect().bottom - 1"))
	b.picture("unseen-800")
	b.inert()
}

// testHostileNames: names that are markup, terminal controls and direction marks stay text, wherever they are shown.
func testHostileNames(t *testing.T, b *browser) {
	hostile := modeltest.Hostile()
	b.open(t, save(t, hostile), 1280, 860, "dark")
	for range 12 { // steps and events, each in the panel
		b.key(".")
	}
	b.eval("document.querySelector('#gutter .lane').click()")
	b.picture("hostile-dark")
	b.key("t")
	require.NotEqual(t, "pwned", b.eval("document.title"))
	require.EqualValues(t, 0, b.eval("document.querySelectorAll('img, body script:not(#trace):not([type=module])').length"))
	require.Contains(t, b.text("#table"), "<img src=x onerror=")
	require.NotContains(t, b.text("body"), "\u202e")
	b.inert()
}
