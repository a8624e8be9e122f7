package explain_test

import (
	"os"
	"strings"
	"testing"

	"hull/stages"
	"hull/stages/explain"

	"github.com/stretchr/testify/require"
)

// TestEveryStep: each step has its text, with all sections in order, neither a remark nor an essay, and no file is left over.
func TestEveryStep(t *testing.T) {
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	orphans := map[string]bool{}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".md"); ok {
			orphans[name] = true
		}
	}
	for _, step := range stages.All() {
		delete(orphans, step.Name)
		text := explain.Text(step.ID)
		require.NotEmpty(t, text, "%s has no explanation", step.Name)
		words, at := 0, 0
		for _, section := range explain.Sections {
			begin := strings.Index(text[at:], "**"+section+"**")
			require.GreaterOrEqual(t, begin, 0, "%s: no section %q, or not in order", step.Name, section)
			at += begin
		}
		for _, line := range strings.Split(text, "\n") {
			if !strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "**Read.**") {
				words += len(strings.Fields(line))
			}
		}
		require.True(t, words >= 50 && words <= 140, "%s: %d words", step.Name, words)
		require.Contains(t, text, "\n    ", "%s: nothing to try", step.Name)
	}
	require.Empty(t, orphans, "texts of no step")
	require.Empty(t, explain.Text(stages.None))
}

// TestPage: docs/stages.md is what go generate ./stages would write now.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/stages.md")
	require.NoError(t, err)
	require.True(t, explain.Page() == string(page), "docs/stages.md is not up to date: go generate ./stages")
}
