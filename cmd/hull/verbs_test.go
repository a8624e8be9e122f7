package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hull/client/dockertest"
	"hull/containerd/imagetest"
	"hull/stages/instance"
	"hull/stages/probetest"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// A subject is a client and the daemon it talks to. Its directory is first in the scripts' PATH and holds one program: hull, which is that client.
type subject struct {
	name string
	dir  string
	env  []string
}

// envDocker asks for the turns of the real docker: make verbs sets it. They take minutes where ours take seconds.
const envDocker = "HULL_VERBS_DOCKER"

// TestVerbs runs the sessions in testdata/verbs (docs/verbs.md says how they are written): each with hull on an instance of ours and, if they are
// asked for, those that say so with the real docker client on another instance and on the real dockerd, all at the same time. What the
// three print and return is compared.
func TestVerbs(t *testing.T) {
	e := up(t)
	image := imagetest.BusyboxSave(t, "busybox:latest")
	registry := "REGISTRY=" + dockertest.StartRegistry(t, e.net)
	hull := newSubject(t, "hull", "exec "+bin+`/hull "$@"`, instance.EnvRoot+"="+e.inst.Root, "IMAGE="+image, registry)
	var docker, dockerd subject
	if os.Getenv(envDocker) != "" {
		probetest.Need(t, "docker")
		docker = newSubject(t, "docker", dockerAt(t, upIn(t, bin, e.net).inst.APISocket()), "IMAGE="+image, registry)
		dockerd = startDockerd(t, image)
	}
	scripts, err := filepath.Glob("testdata/verbs/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(script)
			require.NoError(t, err)
			claim := claimOf(t, string(text))
			if !claim.client || docker.name == "" {
				hull.play(t, script)
				return
			}
			var ours, client, daemon string
			var wg sync.WaitGroup
			wg.Go(func() { ours = hull.play(t, script) })
			wg.Go(func() { client = docker.play(t, script) })
			if claim.daemon {
				wg.Go(func() { daemon = dockerd.play(t, script) })
			}
			wg.Wait()
			t.Run("agrees", func(t *testing.T) {
				require.Equal(t, ours, client, "- hull, + docker, both on hulld")
				if claim.daemon {
					require.Equal(t, ours, daemon, "- hull on hulld, + docker on dockerd")
				}
			})
		})
	}
}

func newSubject(t *testing.T, name, command string, env ...string) subject {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/hull", []byte("#!/bin/sh\n"+command+"\n"), 0o755))
	return subject{name, dir, env}
}

func dockerAt(t *testing.T, socket string) string {
	return "DOCKER_CONFIG=" + t.TempDir() + " exec docker -H unix://" + socket + ` "$@"`
}

// startDockerd starts the real dockerd for the rest of the test.
func startDockerd(t *testing.T, image string) subject {
	t.Helper()
	d := dockertest.Start(t)
	_, err := d.Docker("load", "-i", image)
	require.NoError(t, err)
	return newSubject(t, "dockerd", dockerAt(t, d.Socket), "IMAGE="+image)
}

// A claim is what a script's first line says of docker.
type claim struct{ client, daemon bool }

var claims = map[string]claim{"agrees": {true, true}, "client agrees": {true, false}, "no": {}}

var firstLine = regexp.MustCompile(`^# docker: (agrees|client agrees|no)(; .+)?\n`)

func claimOf(t *testing.T, script string) claim {
	t.Helper()
	m := firstLine.FindStringSubmatch(script)
	require.NotNil(t, m, "the first line must say what docker does: see docs/verbs.md")
	require.True(t, m[1] == "agrees" || m[2] != "", "the first line must say why docker is not asked: see docs/verbs.md")
	return claims[m[1]]
}

// play runs a script and returns what it printed, in a form that can be compared.
func (s subject) play(t *testing.T, script string) (transcript string) {
	t.Helper()
	var said strings.Builder
	t.Run(s.name, func(t *testing.T) {
		t.Cleanup(func() { s.nothingLeft(t) })
		testscript.RunT(inline{t}, testscript.Params{
			Files: []string{script},
			Setup: func(env *testscript.Env) error {
				env.Setenv("PATH", s.dir+":"+os.Getenv("PATH"))
				for _, v := range s.env {
					name, value, _ := strings.Cut(v, "=")
					env.Setenv(name, value)
				}
				return nil
			},
			Cmds: map[string]func(*testscript.TestScript, bool, []string){
				"hull":  func(ts *testscript.TestScript, neg bool, args []string) { s.record(ts, &said, neg, "", args) },
				"exits": func(ts *testscript.TestScript, _ bool, args []string) { s.record(ts, &said, false, args[0], args[2:]) },
				"until": until,
			},
			Condition: func(c string) (bool, error) {
				switch c {
				case "docker":
					return s.name != "hull", nil
				case "dockerd":
					return s.name == "dockerd", nil
				}
				return false, fmt.Errorf("no condition called %q", c)
			},
		})
	})
	return said.String()
}

func (s subject) nothingLeft(t *testing.T) {
	hull := func(args ...string) *exec.Cmd {
		c := exec.Command(s.dir+"/hull", args...)
		c.Env = append(os.Environ(), s.env...)
		return c
	}
	out, err := hull("ps", "-aq").Output()
	require.NoError(t, err)
	if ids := strings.Fields(string(out)); len(ids) > 0 {
		hull(append([]string{"rm", "-f"}, ids...)...).Run()
		t.Errorf("the script has left containers: %s", ids)
	}
}

// inline runs the script as the test itself, not as one below it.
type inline struct{ *testing.T }

func (i inline) Parallel()                               {}
func (i inline) Verbose() bool                           { return testing.Verbose() }
func (i inline) Run(_ string, script func(testscript.T)) { script(i) }

// record is the script commands `[!] hull ARG...` and `exits CODE hull ARG...`: what the program prints and returns is part of the comparison.
func (s subject) record(ts *testscript.TestScript, said *strings.Builder, fails bool, want string, args []string) {
	err := ts.Exec("hull", args...)
	code := 0
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want == "" && fails != (code != 0) || want != "" && want != strconv.Itoa(code) {
		ts.Fatalf("exit code %d", code)
	}
	fmt.Fprintf(said, "$ hull %s\n%s%s[%d]\n", comparable(strings.Join(args, " ")), comparable(ts.ReadFile("stdout")), comparable(ts.ReadFile("stderr")), code)
}

// until is the script command `until PATTERN PROGRAM [ARG...]`: the program is run again and again until its standard output matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN PROGRAM [ARG...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if out := ts.ReadFile("stdout"); pattern.MatchString(out) {
			return
		} else if time.Now().After(deadline) {
			ts.Fatalf("never: %s: %v, %q", args[0], err, out)
		}
	}
}

// alike is what may differ between two runs, and between the names of two programs.
var alike = []struct {
	differs *regexp.Regexp
	same    string
}{
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "<digest>"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "<id>"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "<short>"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?( UTC)?`), "<time>"},
	{regexp.MustCompile(`(?i)\b(Less than a second|(About )?(an?|\d+) (second|minute|hour|day|week|month|year)s?)( ago)?`), "<ago>"},
	{regexp.MustCompile(`\b1[0-9]{9}(\.[0-9]{1,9})?\b`), "<unix>"},
	{regexp.MustCompile(`\b1[0-9]{18}\b`), "<unixnano>"},
	{regexp.MustCompile(`(?m)^(docker|hull): `), ""},                     // who says it
	{regexp.MustCompile(`(?m)^time="[^"\n]*" level=error msg=.*\n`), ""}, // what docker logs when an upload is refused, if it has not ended by then
	{regexp.MustCompile(`(?m) +$`), ""},
	{regexp.MustCompile(`  +`), "  "}, // columns are as wide as what is in them
	{regexp.MustCompile(`\bdocker\b`), "hull"},
	{regexp.MustCompile(`\bDocker\b`), "Hull"},
}

func comparable(text string) string {
	for _, a := range alike {
		text = a.differs.ReplaceAllString(text, a.same)
	}
	return text
}
