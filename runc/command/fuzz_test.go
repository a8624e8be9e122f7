package command

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzArguments: whatever the command line is, it ends with an exit code and at most one line of complaint. There is no container; flags that name
// files to write are left out, and so is the flag that would name other containers.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		"create\x00--bundle\x00/nosuch\x00x", "start\x00x", "state\x00x", "kill\x00--all\x00x\x0015", "delete\x00--force\x00x", "exec\x00-u\x001:2\x00x\x00true",
		"list\x00--format\x00json", "ps\x00x", "update\x00--resources\x00-\x00x", "plan\x00/nosuch", "--debug\x00features", "--version", "-h", "",
		"pause\x00x", "resume\x00x", "--rootless\x00true\x00state", "events\x00--stats\x00x", "exec\x00--process\x00/dev/null\x00x", "kill\x00x\x00SIGRTMIN+3",
		"update\x00--memory\x00-1\x00x", "exec\x00--cap\x00CAP_X\x00-e\x00=\x00x\x00y", "create\x00--preserve-fds\x00-1\x00x",
	} {
		f.Add(seed)
	}
	// What would execute us again, because our file can be written to, gives up instead.
	f.Setenv("HULL_RUNC_SEALED", "1")
	null, err := os.Open(os.DevNull)
	require.NoError(f, err)
	stdin := os.Stdin
	os.Stdin = null // update --resources - reads it
	f.Cleanup(func() { os.Stdin = stdin })
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		for _, a := range args {
			for _, writes := range []string{"root", "log", "pid-file", "spec", "run", "socket"} {
				if strings.Contains(a, writes) {
					return
				}
			}
		}
		var out bytes.Buffer
		g := &global{out: &out, ctx: context.Background()}
		err := g.run(append([]string{"--root", root}, args...))
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
		}
		_, err = io.Copy(io.Discard, &out)
		require.NoError(t, err)
		left, err := os.ReadDir(root)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}
