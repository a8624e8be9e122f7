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

// TestDockerd holds the client against the real dockerd: it speaks docker's API as docker's own client does.
func TestDockerd(t *testing.T) {
	probetest.Need(t, "root", "peers")
	everything(t, "dockerd", dockertest.Start(t).Socket)
}

// everything is what a user does with the client, against the daemon behind the socket. The scripts in testdata are sessions at the command
// line; whatever the daemon, they read the same.
func everything(t *testing.T, daemon, socket string) {
	t.Helper()
	image := imagetest.BusyboxSave(t, "busybox:latest")
	c := engine.New(socket)
	require.NoError(t, c.Ping(t.Context()))
	load(t, c, image)
	t.Run("scripts", func(t *testing.T) { scripts(t, daemon, socket, image) })
	t.Run("terminal", func(t *testing.T) { terminal(t, c) })
	t.Run("exec terminal", func(t *testing.T) { execTerminal(t, c, daemon) })
	t.Run("signal", func(t *testing.T) { signals(t, c) })
}

func scripts(t *testing.T, daemon, socket, image string) {
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

func load(t *testing.T, c *engine.Client, image string) {
	t.Helper()
	f, err := os.Open(image)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, c.Load(t.Context(), f, func(string) {}))
}
