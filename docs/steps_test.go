package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"hull/stages"

	"github.com/stretchr/testify/require"
)

// TestLifeOfARun: the story names every step of the catalogue, and none that is not in it.
func TestLifeOfARun(t *testing.T) {
	story, err := os.ReadFile("life-of-a-run.md")
	require.NoError(t, err)
	for _, step := range stages.All() {
		require.Contains(t, string(story), "`"+step.Name+"`")
	}
	var actors []string
	for _, s := range stages.Stages() {
		actors = append(actors, s.String())
	}
	names := regexp.MustCompile("`((?:" + strings.Join(actors, "|") + `)\.[a-z_.]+)` + "`")
	for _, page := range []string{"life-of-a-run.md", "architecture.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range names.FindAllStringSubmatch(string(text), -1) {
			if strings.HasSuffix(m[1], ".sock") {
				continue
			}
			_, ok := stages.Lookup(m[1])
			require.True(t, ok, "%s names %s", page, m[1])
		}
	}
}
