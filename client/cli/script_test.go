package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"hull/client/cli"
	"hull/client/dockertest"
	"hull/client/engine"
	"hull/containerd/imagetest"
	"hull/stages/probetest"
)

// TestMain makes `hull` a command of the scripts: this test binary itself, through cli.Main.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hull": func() { os.Exit(cli.Main(os.Args[1:])) }})
}

// TestScripts runs the transcripts in testdata, each a session of a user at the command line. Against dockerd they show that our client
// speaks docker's API as docker's own does; hull's own suite runs the same files against hulld.
func TestScripts(t *testing.T) {
	probetest.Need(t, "root", "peers")
	d := dockertest.Start(t)
	run(t, "dockerd", d.Socket)
}

// run runs every script against the daemon behind the socket.
func run(t *testing.T, daemon, socket string) {
	t.Helper()
	image := imagetest.BusyboxSave(t, "busybox:latest")
	load(t, socket, image)
	testscript.RunT(serial{t}, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HULL_HOST", "unix://"+socket)
			e.Setenv("HULL_ROOT", e.WorkDir+"/instance") // no script reads or makes the machine's own instance
			e.Setenv("IMAGE", image)
			return nil
		},
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Condition: func(c string) (bool, error) { return c == daemon, nil },
	})
}

// serial runs the scripts one after the other: they share a daemon, and each looks whether it has left a container.
type serial struct{ *testing.T }

func (s serial) Parallel()     {}
func (s serial) Verbose() bool { return testing.Verbose() }
func (s serial) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { f(serial{t}) })
}

// exits is the script command `exits CODE PROGRAM [ARG...]`: the program must end with exactly that code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	code := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func load(t *testing.T, socket, image string) {
	t.Helper()
	c := engine.New(socket)
	require.NoError(t, c.Ping(t.Context()))
	f, err := os.Open(image)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, c.Load(t.Context(), f, func(string) {}))
}
