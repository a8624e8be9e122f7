package export_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"hull/trace/export"
	"hull/trace/model"
	"hull/trace/model/modeltest"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestTextGolden holds the timeline of each made-up run to its golden file, and that of the plain run on each level.
func TestTextGolden(t *testing.T) {
	for name, test := range map[string]struct {
		trace *model.Trace
		form  export.Text
	}{
		"run": {modeltest.Run(), export.Text{}}, "liar": {modeltest.Liar(), export.Text{}}, "unseen": {modeltest.Unseen(), export.Text{}},
		"hostile": {modeltest.Hostile(), export.Text{}}, "run.story": {modeltest.Run(), export.Text{Level: "story"}},
		"run.stages": {modeltest.Run(), export.Text{Level: "stages"}}, "run.story.60": {modeltest.Run(), export.Text{Level: "story", Width: 60}},
		"liar.story": {modeltest.Liar(), export.Text{Level: "story"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, test.form.Write(&out, test.trace))
			golden := "testdata/" + name + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), out.String())
		})
	}
}

// TestTextLevels: the story fits on a screen, counts what it leaves out, and leaves out nothing that is not proved or failed.
func TestTextLevels(t *testing.T) {
	lines := map[string]int{}
	for _, level := range export.Levels {
		var out bytes.Buffer
		require.NoError(t, export.Text{Level: level}.Write(&out, modeltest.Run()))
		lines[level] = strings.Count(out.String(), "\n")
	}
	require.Less(t, lines["story"], 40)
	require.Less(t, lines["story"], lines["stages"])
	require.Less(t, lines["stages"], lines["all"])

	var out bytes.Buffer
	trace := modeltest.Liar()
	trace.Spans[2].Error = "it broke"
	for i := range trace.Spans {
		if trace.Spans[i].Name == "runc.init.hostname" {
			trace.Spans[i].Error = "this as well"
		}
	}
	require.NoError(t, export.Text{Level: "story"}.Write(&out, trace))
	require.Contains(t, out.String(), "✗        runc.init.pivot_root")
	require.Contains(t, out.String(), "runc.init.hostname")
	require.Contains(t, out.String(), "this as well")
	require.Contains(t, out.String(), "lost: 12 kernel events")
	require.Contains(t, out.String(), "reparented: 4747 from hull-runc 4740 to hull-shim 4731")
}

// TestTextFits holds every line to its columns, and to characters that cannot steer a terminal.
func TestTextFits(t *testing.T) {
	for _, trace := range []*model.Trace{modeltest.Run(), modeltest.Liar(), modeltest.Unseen(), modeltest.Hostile(), circle()} {
		for _, level := range export.Levels {
			for width, want := range map[int]int{0: 100, 40: 60, 60: 60, 79: 79, 80: 80, 137: 137, 999: 200} {
				var out bytes.Buffer
				require.NoError(t, export.Text{Level: level, Width: width}.Write(&out, trace))
				require.True(t, utf8.Valid(out.Bytes()))
				for _, line := range strings.Split(out.String(), "\n") {
					require.LessOrEqual(t, utf8.RuneCountInString(line), want, line)
					for _, r := range line {
						require.True(t, r == ' ' || unicode.IsPrint(r), "%q in %q", r, line)
					}
				}
			}
		}
	}
}

// circle is a trace whose steps are inside of each other.
func circle() *model.Trace {
	t := modeltest.Run()
	t.Spans[0].Parent = t.Spans[5].ID
	t.Spans[5].Parent = t.Spans[0].ID
	t.Spans[7].Parent = t.Spans[7].ID
	return t
}

// TestTextColor: colours only when asked.
func TestTextColor(t *testing.T) {
	var plain, coloured bytes.Buffer
	require.NoError(t, export.Text{}.Write(&plain, modeltest.Liar()))
	require.NoError(t, export.Text{Color: true}.Write(&coloured, modeltest.Liar()))
	require.NotContains(t, plain.String(), "\x1b")
	require.Contains(t, coloured.String(), "\x1b[31;1m✗")
}

// TestTextReparented shows the one event that the whole project is about, in words.
func TestTextReparented(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, export.Write(&out, "text", modeltest.Run()))
	require.Contains(t, out.String(), "reparented: 4747 from hull-runc 4740 to hull-shim 4731")
}
