package stages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStory: every stage has its part in the story, and it is a story, not the whole table.
func TestStory(t *testing.T) {
	told := map[Stage]int{}
	for _, s := range All() {
		if s.Story() {
			told[s.Stage]++
			require.False(t, s.Has(Repeats) && !s.Has(Optional), "%s: what happens twenty times in a run is no story", s.Name)
		}
	}
	for _, s := range Stages() {
		require.NotZero(t, told[s], s.String())
	}
	require.Less(t, len(story), 36)
	require.False(t, Step{}.Story(), "a foreign step")
}
