package cgroup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"

	"hull/stages/probetest"
)

// envChild makes this test binary behave as a process in the container; see child.
const envChild = "HULL_CGROUP_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(envChild); what != "" {
		os.Exit(child(what))
	}
	os.Exit(m.Run())
}

// child joins the groups whose cgroup.procs it got as descriptors 3 and up, as the container's first process does, says "ready", and
// does one thing for each line it reads: "open PATH" answers with the result.
func child(joins string) int {
	var n int
	fmt.Sscan(joins, &n)
	for fd := 3; fd < 3+n; fd++ {
		if _, err := syscall.Write(fd, []byte("0")); err != nil {
			fmt.Println("join:", err)
			return 1
		}
		syscall.Close(fd)
	}
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		verb, arg, _ := strings.Cut(in.Text(), " ")
		switch verb {
		case "open":
			fd, err := syscall.Open(arg, syscall.O_RDWR, 0)
			syscall.Close(fd)
			fmt.Println("open:", err)
		case "fork":
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), envChild+"=0")
			stdin, _ := cmd.StdinPipe() // held open: the grandchild lives until it is killed
			err := cmd.Start()
			fmt.Println("fork:", err)
			_ = stdin
		}
	}
	return 0
}

// A process is a child of the test in a group.
type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (p *process) say(t *testing.T, line string) string {
	t.Helper()
	_, err := io.WriteString(p.in, line+"\n")
	require.NoError(t, err)
	return p.hear(t)
}

func (p *process) hear(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}

// enter starts a child inside the group, the way hull-runc does: born in it on v2, joining by itself on v1.
func enter(t *testing.T, g *Group) *process {
	t.Helper()
	procs, err := g.Procs()
	require.NoError(t, err)
	into, err := g.Into()
	require.NoError(t, err)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{envChild + "=" + fmt.Sprint(len(procs))}
	cmd.ExtraFiles = procs
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if into != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(into.Fd())
		defer into.Close()
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for _, f := range procs {
		f.Close()
	}
	p := &process{cmd, in, bufio.NewReader(out)}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	require.Equal(t, "ready", p.hear(t))
	return p
}

// create makes a group below a parent of the test's own, and checks at the end of the test that nothing of it is left anywhere.
func create(t *testing.T, r *specs.LinuxResources) *Group {
	t.Helper()
	g, warnings, err := Create(context.Background(), parent(t)+"/box", r)
	require.NoError(t, err)
	require.Empty(t, warnings)
	t.Cleanup(func() {
		require.NoError(t, g.Kill())
		require.NoError(t, g.Delete())
		for _, m := range g.Members {
			require.NoDirExists(t, m.Dir)
		}
	})
	return g
}

// parent names a group of this test, removed at its end from every hierarchy; what is still in it then is a leak.
func parent(t *testing.T) string {
	t.Helper()
	probetest.Need(t, "root")
	name := fmt.Sprintf("/hull-test-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
	all, err := detect()
	require.NoError(t, err)
	if len(all) == 0 {
		t.Skip("no cgroup hierarchy is mounted")
	}
	t.Cleanup(func() {
		for _, h := range all {
			err := syscall.Rmdir(filepath.Join(h.mount, name)) // not recursive: it fails if anything is left below
			if !errors.Is(err, syscall.ENOENT) {
				require.NoError(t, err)
			}
		}
	})
	return name
}

// value reads a file of the group in the hierarchy that has it, with nothing but the standard library.
func value(t *testing.T, g *Group, file string) string {
	t.Helper()
	for _, m := range g.Members {
		if text, err := os.ReadFile(filepath.Join(m.Dir, file)); err == nil {
			return strings.TrimSpace(string(text))
		}
	}
	t.Fatalf("no member has %s: %+v", file, g.Members)
	return ""
}

// on picks the expectation for the version that holds the controller here.
func on(t *testing.T, v1name, v2name string) (version int) {
	t.Helper()
	all, err := detect()
	require.NoError(t, err)
	for _, name := range []string{v1name, v2name} {
		if h := find(all, name); h != nil {
			return h.version
		}
	}
	t.Skipf("no %s controller here", v2name)
	return 0
}

func pointer[T any](v T) *T { return &v }
