package main_test

import (
	"testing"

	"hull/stages/probetest"
	"hull/trace/model"

	"github.com/stretchr/testify/require"
)

// TestTraceOfFailedRuns: a run that ends half-way takes its evidence along. Nobody in it lies, and nobody is called a liar: what hull-trace could not
// read any more has no verdict, and says why. The client's own exit is the last row, once it has left.
func TestTraceOfFailedRuns(t *testing.T) {
	probetest.Need(t, "btf")
	e := up(t)
	for _, test := range []struct {
		name string
		args []string
		code int
		last string // the step that failed
	}{
		{"no program", []string{"busybox", "nosuch"}, 127, "runc.init.program"},
		{"not a program", []string{"busybox", "/etc"}, 126, "runc.init.program"},
		{"bad mount", []string{"-v", "/etc/passwd:/etc", "busybox", "true"}, 125, "runc.init.mounts"},
		{"bad directory", []string{"-w", "/etc/passwd", "busybox", "true"}, 125, "runc.init.workdir"},
		{"no user", []string{"-u", "nosuch", "busybox", "true"}, 125, ""},
		{"no image", []string{"nosuch", "true"}, 125, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, text, code := e.run(append([]string{"run", "--rm", "--trace", "--network", "none"}, test.args...)...)
			require.Equal(t, test.code, code, text)
			tr := e.trace()
			require.NotZero(t, tr.End)
			var failed, left bool
			for _, s := range tr.Spans {
				require.NotEqual(t, model.Unproved, s.Proof, "%s %s: %s", s.Name, s.Instance, s.Because)
				if s.Proof == model.NoProof {
					require.NotEmpty(t, s.Because, s.Name)
				}
				failed = failed || s.Name == test.last && s.Error != ""
				left = left || s.Name == "client.exit" && s.Proof == model.Proved
			}
			require.True(t, failed || test.last == "", "%s says that it failed", test.last)
			require.True(t, left, "client.exit")
		})
	}
}
