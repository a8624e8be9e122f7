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

// TestTextGolden holds the timeline of each made-up run to its golden file.
func TestTextGolden(t *testing.T) {
	for name, trace := range map[string]*model.Trace{"run": modeltest.Run(), "liar": modeltest.Liar(), "unseen": modeltest.Unseen(), "hostile": modeltest.Hostile()} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, export.Write(&out, "text", trace))
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

// TestTextFits holds every line to 100 columns, and to characters that cannot steer a terminal.
func TestTextFits(t *testing.T) {
	for _, trace := range []*model.Trace{modeltest.Run(), modeltest.Liar(), modeltest.Unseen(), modeltest.Hostile()} {
		var out bytes.Buffer
		require.NoError(t, export.Write(&out, "text", trace))
		require.True(t, utf8.Valid(out.Bytes()))
		for _, line := range strings.Split(out.String(), "\n") {
			require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
			for _, r := range line {
				require.True(t, r == ' ' || unicode.IsPrint(r), "%q in %q", r, line)
			}
		}
	}
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
