package main_test

import (
	"os/exec"
	"strings"
	"testing"

	"hull/stages/instance"
	"hull/stages/probetest"

	"github.com/stretchr/testify/require"
)

// A terminal is a shell in tmux: a real terminal emulator in front of a real user's shell.
type terminal struct {
	e      *engine
	socket string
}

func openTmux(e *engine, columns, rows string) *terminal {
	e.t.Helper()
	probetest.Need(e.t, "tmux")
	tm := &terminal{e, e.t.TempDir() + "/tmux"}
	new := exec.Command("tmux", "-S", tm.socket, "-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows,
		"env", "PS1=$ ", "PATH="+bin+":/usr/bin:/bin", instance.EnvRoot+"="+e.inst.Root, "sh")
	require.NoError(e.t, e.net.Run(new))         // a hulld that is started at the terminal is in the test's network too
	tm.tmux("set-option", "-g", "status", "off") // its line would be the screen's last
	tm.tmux("resize-window", "-x", columns, "-y", rows)
	e.t.Cleanup(func() { exec.Command("tmux", "-S", tm.socket, "kill-server").Run() })
	return tm
}

func (tm *terminal) tmux(args ...string) string {
	tm.e.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", tm.socket}, args...)...).CombinedOutput()
	require.NoError(tm.e.t, err, "tmux %s: %s", strings.Join(args, " "), out)
	return string(out)
}

func (tm *terminal) types(keys ...string) {
	tm.e.t.Helper()
	tm.tmux(append([]string{"send-keys"}, keys...)...)
}

// sees waits until a line of the screen ends with the text.
func (tm *terminal) sees(line string) {
	tm.e.t.Helper()
	screen := ""
	tm.e.t.Cleanup(func() {
		if tm.e.t.Failed() {
			tm.e.t.Logf("the screen, when it was looked at for %q:\n%s", line, strings.TrimSpace(screen))
		}
	})
	tm.e.until("on the screen: "+line, func() bool {
		screen = tm.tmux("capture-pane", "-p")
		return strings.Contains(screen+"\n", line+"\n")
	})
}

// shows waits until the text is somewhere on the screen.
func (tm *terminal) shows(text string) {
	tm.e.t.Helper()
	tm.e.until("on the screen: "+text, func() bool { return strings.Contains(tm.tmux("capture-pane", "-p"), text) })
}

// prompts waits until the shell asks for the next command. What is typed before that is read by the program that still holds the terminal.
func (tm *terminal) prompts() {
	tm.e.t.Helper()
	tm.e.until("a prompt", func() bool { return strings.HasSuffix(strings.TrimSpace(tm.tmux("capture-pane", "-p")), "$") })
}

// TestTerminal is an hour at a terminal of 37 lines and 111 columns, in short: the size at the first instruction, ^C, a change of size, leaving and
// coming back.
func TestTerminal(t *testing.T) {
	e := up(t)
	tm := openTmux(e, "111", "37")
	tm.prompts()

	// stty is the container's only program: the size is there before it starts.
	tm.types("hull run --rm -it --network none busybox stty size", "Enter")
	tm.sees("37 111")
	tm.prompts()

	tm.types("clear; hull run -it --name shell --network none -e PS1='in ' busybox sh", "Enter")
	tm.sees("in")
	tm.types("trap 'echo caught-$((40+2))' INT", "Enter", "C-c", "Enter")
	tm.sees("caught-42")
	tm.tmux("resize-window", "-x", "80", "-y", "20")
	tm.types("clear; until [ \"$(stty size)\" = '20 80' ]; do sleep 0.05; done; echo size-$((1+1))", "Enter")
	tm.sees("size-2")

	// Leaving is no failure of run; attach says how it ended, as docker's does.
	tm.types("C-p", "C-q")
	tm.prompts()
	tm.types("echo run $?", "Enter")
	tm.sees("run 0")
	tm.prompts()
	require.Equal(t, "running", e.inspect("shell").State.Status)
	tm.types("clear; hull attach --detach-keys ctrl-x,x shell", "Enter", "Enter")
	tm.types("echo back-$((2+3))", "Enter")
	tm.sees("back-5")
	tm.types("C-x", "x")
	tm.sees("read escape sequence")
	tm.prompts()
	tm.types("echo attach $?", "Enter")
	tm.sees("attach 1")
	tm.prompts()

	// Two terminals at one program: each sees what is typed at the other.
	second := openTmux(e, "111", "37")
	second.prompts()
	second.types("hull attach shell", "Enter", "Enter")
	second.sees("in")
	tm.types("clear; hull attach shell", "Enter", "Enter")
	tm.sees("in")
	second.types("echo both-$((3+4))", "Enter")
	second.sees("both-7")
	tm.sees("both-7")
	tm.types("exit 5", "Enter")
	tm.prompts()
	second.prompts()
	tm.types("echo ended $?", "Enter")
	second.types("echo ended $?", "Enter")
	tm.sees("ended 5")
	second.sees("ended 5")
	tm.prompts()

	// Without a terminal in the container ^C is a signal, and the client passes it on.
	tm.types(`clear; hull run --rm --network none busybox sh -c 'trap "exit 7" INT; echo ready; while :; do sleep 0.1; done'`, "Enter")
	tm.sees("ready")
	tm.types("C-c")
	tm.prompts()
	tm.types("echo ended $?", "Enter")
	tm.sees("ended 7")
	e.ok("rm", "-f", "shell")
}
