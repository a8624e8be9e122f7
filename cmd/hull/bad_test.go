package main_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hull/daemon/network/networktest"
	"hull/stages/instance"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// TestBadInput reads testdata/bad.txtar: what is wrong is named in one line with the way out, the exit code or HTTP status is the right one,
// and nothing half-made is left.
func TestBadInput(t *testing.T) {
	e := up(t)
	before := e.snapshots()
	testscript.Run(t, testscript.Params{
		Files:           []string{"testdata/bad.txtar"},
		ContinueOnError: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			env.Setenv(instance.EnvRoot, e.inst.Root)
			hostileArchives(t, env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails": fails,
			"api":   e.api,
			"nothing-left": func(ts *testscript.TestScript, _ bool, _ []string) {
				if now := e.snapshots(); !slices.Equal(now, before) {
					ts.Fatalf("snapshots are now %v, not %v", now, before)
				}
				for _, dir := range e.dirs() {
					ts.Fatalf("left behind: %s", dir)
				}
				for _, g := range e.cgroups() {
					if !strings.HasSuffix(g, e.inst.CgroupParent()) {
						ts.Fatalf("left behind: cgroup %s", g)
					}
				}
				if mounts, _ := os.ReadFile("/proc/self/mountinfo"); bytes.Contains(mounts, []byte(" "+e.inst.Root+"/")) {
					ts.Fatalf("left behind: a mount below %s", e.inst.Root)
				}
			},
		},
	})
}

// fails is the script command `fails [-as UID] [-usage] CODE PATTERN PROGRAM [ARG...]`: the program ends with exactly that code and says exactly one
// line, on standard error, that matches. With -usage that line is followed by docker's hint at --help.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	uid := 0
	if len(args) > 2 && args[0] == "-as" {
		uid, _ = strconv.Atoi(args[1])
		args = args[2:]
	}
	usage := len(args) > 1 && args[0] == "-usage"
	if usage {
		args = args[1:]
	}
	if neg || len(args) < 3 {
		ts.Fatalf("usage: fails [-as UID] [-usage] CODE PATTERN PROGRAM [ARG...]")
	}
	c := exec.Command(filepath.Join(bin, args[2]), args[3:]...)
	c.Dir = ts.MkAbs(".")
	c.Env = append(os.Environ(), instance.EnvRoot+"="+ts.Getenv(instance.EnvRoot))
	if uid != 0 {
		c.Dir = "/" // the script's own directory is root's
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	var out, text bytes.Buffer
	c.Stdout, c.Stderr = &out, &text
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	said := text.String()
	ts.Logf("exit %d: %s", c.ProcessState.ExitCode(), said)
	if got := strconv.Itoa(c.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
	if usage {
		said = regexp.MustCompile(`(?s)\n\nUsage:  .*\n\nRun '.* --help' for more information\n$`).ReplaceAllString(said, "\n")
	}
	if strings.Count(said, "\n") != 1 || !regexp.MustCompile(args[1]).MatchString(strings.TrimSpace(said)) {
		ts.Fatalf("not one line that matches %q", args[1])
	}
	if out.Len() > 0 {
		ts.Fatalf("on standard output: %q", out.String())
	}
}

// api is the script command `api STATUS PATTERN METHOD PATH [BODY]`: the daemon answers with that status and a message that matches.
func (e *engine) api(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: api STATUS PATTERN METHOD PATH [BODY]")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return instance.Dial(ctx, "unix", e.inst.APISocket())
	}}}
	req, err := http.NewRequest(args[2], "http://hull"+args[3], strings.NewReader(strings.Join(args[4:], " ")))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Logf("%s: %s", resp.Status, text)
	if strconv.Itoa(resp.StatusCode) != args[0] {
		ts.Fatalf("status %d, want %s", resp.StatusCode, args[0])
	}
	pattern := `^\{"message":".*(` + args[1] + `).*"\}$`
	if !regexp.MustCompile(pattern).MatchString(strings.TrimSpace(string(text))) {
		ts.Fatalf("the answer does not match %s", pattern)
	}
}

// TestNoDaemon: what the client says when nobody is there.
func TestNoDaemon(t *testing.T) {
	e := &engine{t: t, bin: bin, net: networktest.New(t), inst: instance.Instance{Root: t.TempDir()}}
	for _, args := range [][]string{{"ps"}, {"images"}, {"run", "busybox"}} {
		out, text, code := e.run(args...)
		want := 1
		if args[0] == "run" {
			want = 125
		}
		require.Equal(t, want, code)
		require.Empty(t, out)
		require.Regexp(t, `^hull: .*/run/hull.sock: cannot reach the daemon: no such file or directory \(start it with: hull up\)\n$`, text)
	}
}
