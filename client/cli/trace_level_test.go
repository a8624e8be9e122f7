package cli

import (
	"bytes"
	"os"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"hull/client/engine"
)

// TestTraceFlag: --trace is a flag that needs no value and takes one; what is no level is refused, and takes no other word along.
func TestTraceFlag(t *testing.T) {
	for _, test := range []struct {
		args  []string
		on    bool
		level string
		rest  []string
	}{
		{[]string{}, false, "story", nil},
		{[]string{"--trace", "busybox"}, true, "story", []string{"busybox"}},
		{[]string{"--trace=stages", "busybox"}, true, "stages", []string{"busybox"}},
		{[]string{"--trace=all"}, true, "all", nil},
		{[]string{"--trace=true"}, true, "story", nil},
		{[]string{"--trace=false"}, false, "story", nil},
	} {
		var on bool
		var level string
		f := pflag.NewFlagSet("run", pflag.ContinueOnError)
		defineTrace(f, &on, &level)
		require.NoError(t, f.Parse(test.args), test.args)
		require.Equal(t, test.on, on, test.args)
		require.Equal(t, test.level, level, test.args)
		require.ElementsMatch(t, test.rest, f.Args())
	}
	var on bool
	var level string
	f := pflag.NewFlagSet("run", pflag.ContinueOnError)
	defineTrace(f, &on, &level)
	require.ErrorContains(t, f.Parse([]string{"--trace=much"}), "use story, stages, all")
}

// TestTimelineForm: where there is no terminal there is neither colour nor a width.
func TestTimelineForm(t *testing.T) {
	require.Equal(t, engine.Timeline{Level: "story"}, timeline(&bytes.Buffer{}, "story"))
	f, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, engine.Timeline{Level: "all"}, timeline(f, "all"))
}
