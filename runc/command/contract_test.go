package command_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hull/stages/probetest"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// contract is what the callers of a runtime rely on, where no specification says it: containerd-shim-runc-v2 (pkg/process, go-runc), conmon
// (src/conmon.c, runtime_args.c) and podman (libpod/oci_conmon_common.go, oci_util.go). Each row is held against Debian's runc and crun too: what
// they do not both keep is no contract, or says which of them does not.
var contract = []struct {
	name   string
	broken string // the runtime that does not keep it
	test   func(b *bench)
}{
	// go-runc reads the file with strconv.Atoi: no newline. dockerd opens the network namespace by this pid as soon as create has returned.
	{"pid file", "", func(b *bench) {
		id, pid, _ := b.waiting()
		require.NotEqual(b.t, link(b.t, "/proc/self/ns/net"), link(b.t, fmt.Sprintf("/proc/%d/ns/net", pid)))
		require.NoError(b.t, unix.Kill(pid, 0))
		b.gone(id, pid)
	}},
	// A shim is a subreaper: create's first process, and exec's, must become its children, whose exit codes it waits for.
	{"children of the caller", "", func(b *bench) {
		id, pid, _ := b.waiting()
		require.Equal(b.t, strconv.Itoa(os.Getpid()), statusField(b.t, pid, "PPid"))
		b.must("start", id)
		beside, _, err := b.detached(id, b.process(nil, "sh", "-c", "exit 7"))
		require.NoError(b.t, err)
		require.Equal(b.t, 7, reap(b.t, beside))
		b.gone(id, pid)
	}},
	// The container keeps the streams that create was given, and it alone: the caller sees their end when the container ends, neither sooner nor
	// later, and create itself returns.
	{"streams", "", func(b *bench) {
		b.spec.Process.Args = []string{"sh", "-c", "read line; echo $line"}
		id := b.id("c")
		in, theirIn, theirOut, out := b.pipes()
		cmd := b.command("create", "--bundle", b.bundle, "--pid-file", b.bundle+"/pid", id)
		cmd.Stdin, cmd.Stdout = theirIn, theirOut
		require.NoError(b.t, cmd.Run())
		theirIn.Close()
		theirOut.Close()
		pid, err := strconv.Atoi(read(b.t, b.bundle+"/pid"))
		require.NoError(b.t, err)
		b.must("start", id)
		_, err = in.WriteString("hello\n")
		require.NoError(b.t, err)
		text, err := io.ReadAll(out)
		require.NoError(b.t, err)
		require.Equal(b.t, "hello\n", string(text))
		require.Equal(b.t, 0, reap(b.t, pid))
		b.must("delete", id)
	}},
	// The master comes in one message with one descriptor, and has come when create returns; the terminal has its size from the start.
	{"console socket", "", func(b *bench) {
		b.spec.Process.Terminal, b.spec.Process.ConsoleSize = true, &specs.Box{Height: 33, Width: 77}
		b.spec.Process.Args = []string{"stty", "size"}
		id := b.id("c")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: b.bundle + "/s", Net: "unix"})
		require.NoError(b.t, err)
		defer l.Close()
		pid, _ := b.create(id, "--console-socket", b.bundle+"/s")
		master := receiveMaster(b.t, l)
		defer master.Close()
		b.must("start", id)
		text, _ := io.ReadAll(master) // ends with EIO when the other side is gone
		require.Equal(b.t, "33 77\r\n", string(text))
		require.Equal(b.t, 0, reap(b.t, pid))
		b.must("delete", id)
	}},
	// The shim shows its user the last line with level "error" of the file of --log. The file may have lines of earlier commands, which stay.
	{"last error of the log", "", func(b *bench) {
		b.spec.Process.Args = []string{"nosuch"}
		id, log := b.id("c"), b.bundle+"/log"
		require.NoError(b.t, os.WriteFile(log, []byte(`{"level":"error","msg":"an earlier one"}`+"\n"), 0o600))
		_, _, err := b.run("--log", log, "--log-format", "json", "create", "--bundle", b.bundle, id)
		require.Error(b.t, err)
		lines := strings.Split(strings.TrimSpace(read(b.t, log)), "\n")
		require.Contains(b.t, lines[0], "an earlier one")
		var last struct{ Level, Msg string }
		for _, line := range lines[1:] {
			require.NoError(b.t, json.Unmarshal([]byte(line), &last), line)
		}
		require.Equal(b.t, "error", last.Level)
		require.Regexp(b.t, noProgram, last.Msg)
	}},
	// docker's and podman's exit codes 126 and 127 come from these words. dockerd does not know crun's for a directory, "Operation not permitted".
	{"no program", "", func(b *bench) {
		for program, want := range map[string]string{"nosuch": noProgram, "/bin/nosuch": noProgram, "/etc/passwd": notExecutable, "/bin": notExecutable + "|(?i)open executable: operation not permitted"} {
			b.spec.Process.Args = []string{program}
			require.Regexp(b.t, want, b.refuses("create", "--bundle", b.bundle, b.id("c")), program)
		}
	}},
	// The shim takes these words of kill for "it has ended already", and these of kill and delete for "there is none". crun's "No such file or
	// directory" it takes for a failure.
	{"words of kill and delete", "crun", func(b *bench) {
		id, pid, _ := b.waiting()
		b.must("start", id)
		b.must("kill", id, "9")
		require.Equal(b.t, 137, reap(b.t, pid))
		require.Regexp(b.t, "os: process already finished|container not running|no such process", b.refuses("kill", id, "9"))
		b.must("delete", id)
		require.Contains(b.t, b.refuses("kill", id, "9"), "does not exist")
		require.Contains(b.t, b.refuses("delete", id), "does not exist")
		b.must("delete", "--force", id)
	}},
	// docker kill -s sends a number, podman and people names, with SIG and without.
	{"signals", "", func(b *bench) {
		b.spec.Process.Args = []string{"sh", "-c", "trap 'echo TERM' TERM; trap 'echo USR1' USR1; trap 'exit 5' USR2; echo ready; while :; do sleep 0.02; done"}
		id := b.id("c")
		pid, out := b.create(id)
		b.must("start", id)
		until := func(text string) {
			require.Eventually(b.t, func() bool { return strings.Contains(contents(b.t, out), text) }, 20*time.Second, 20*time.Millisecond)
		}
		until("ready")
		b.must("kill", id) // TERM, if none is named
		until("TERM")
		b.must("kill", id, "10")
		until("USR1")
		b.must("kill", id, "SIGUSR2")
		require.Equal(b.t, 5, reap(b.t, pid))
		b.must("delete", id)
	}},
	// A running container is not deleted but by force; one that was never started is.
	{"delete", "", func(b *bench) {
		id, pid, _ := b.waiting()
		b.must("start", id)
		require.NotEmpty(b.t, b.refuses("delete", id))
		require.NoError(b.t, unix.Kill(pid, 0), "it must be there still")
		b.must("delete", "--force", id)
		require.Equal(b.t, 137, reap(b.t, pid))
		id, pid, _ = b.waiting()
		b.must("delete", "--force", id)
		require.Equal(b.t, 137, reap(b.t, pid))
	}},
	// Without a pid namespace of its own a container outlives its first process; the shim then ends the rest before it says that it has exited.
	{"kill --all after the end", "", func(b *bench) {
		b.spec.Linux.Namespaces = b.spec.Linux.Namespaces[1:]
		b.spec.Process.Args = []string{"sh", "-c", "sleep 1000 & echo $!"}
		id := b.id("c")
		pid, out := b.create(id)
		b.must("start", id)
		require.Equal(b.t, 0, reap(b.t, pid))
		rest, err := strconv.Atoi(strings.TrimSpace(contents(b.t, out)))
		require.NoError(b.t, err)
		b.must("kill", "--all", id, "9")
		require.Equal(b.t, 137, reap(b.t, rest))
		b.must("delete", id)
	}},
	// dockerd removes a paused container as any other.
	{"delete of a paused one", "", func(b *bench) {
		id, pid, _ := b.waiting()
		b.must("start", id)
		b.must("pause", id)
		require.Equal(b.t, "paused", string(b.status(id).Status))
		b.must("kill", id, "9")
		if b.status(id).Status == "paused" { // crun does not thaw it
			b.must("resume", id)
		}
		require.Equal(b.t, 137, reap(b.t, pid))
		b.must("delete", "--force", id)
	}},
	// `docker top` and a shim's restart.
	{"ps", "", func(b *bench) {
		id, pid, _ := b.waiting()
		b.must("start", id)
		beside, _, err := b.detached(id, b.process(nil, "sleep", "1000"))
		require.NoError(b.t, err)
		var pids []int
		require.NoError(b.t, json.Unmarshal([]byte(b.must("ps", "--format", "json", id)), &pids))
		require.ElementsMatch(b.t, []int{pid, beside}, pids)
		b.must("kill", id, "9")
		require.Equal(b.t, 137, reap(b.t, beside)) // first: pid 1 of a namespace is there until all others of it are reaped
		require.Equal(b.t, 137, reap(b.t, pid))
		b.must("delete", id)
	}},
	// The shim writes the document to the standard input and says so in one word, podman into a file.
	{"update", "", func(b *bench) {
		id, pid, _ := b.waiting()
		file := b.bundle + "/resources.json"
		for _, word := range []string{"--resources=-", "--resources=" + file} {
			limit := 32 + int64(len(word))
			document := fmt.Sprintf(`{"pids": {"limit": %d}}`, limit)
			require.NoError(b.t, os.WriteFile(file, []byte(document), 0o600))
			cmd := b.command("update", word, id)
			cmd.Stdin = strings.NewReader(document)
			out, err := cmd.CombinedOutput()
			require.NoError(b.t, err, "%s: %s", word, out)
			require.Equal(b.t, fmt.Sprint(limit), strings.TrimSpace(read(b.t, "/sys/fs/cgroup/pids/"+id+"/pids.max")))
		}
		b.gone(id, pid)
	}},
	// An exec that fails leaves no process, and says why in the same words as create. crun leaves its own to the caller, who must reap it.
	{"failing exec", "crun", func(b *bench) {
		id, pid, _ := b.waiting()
		b.must("start", id)
		for program, want := range map[string]string{"nosuch": noProgram, "/etc/passwd": notExecutable} {
			_, _, err := b.detached(id, b.process(nil, program))
			require.Error(b.t, err)
			require.Regexp(b.t, want, err.Error())
		}
		var pids []int
		require.NoError(b.t, json.Unmarshal([]byte(b.must("ps", "--format", "json", id)), &pids))
		require.Equal(b.t, []int{pid}, pids)
		b.gone(id, pid)
	}},
	// All that go-runc, conmon and podman write before and behind the verb, in their own order and spelling.
	{"spelling of flags", "", func(b *bench) {
		id := b.id("c")
		_, errs, err := b.run("--log", b.bundle+"/log", "--log-format=json", "create", "--bundle="+b.bundle, "--pid-file", b.bundle+"/pid", "--no-new-keyring", "--preserve-fds", "0", id)
		require.NoError(b.t, err, errs)
		pid, err := strconv.Atoi(read(b.t, b.bundle+"/pid"))
		require.NoError(b.t, err)
		b.must("--log", b.bundle+"/log", "--log-format", "json", "--debug", "start", id)
		b.must("kill", "--all", id, "9")
		require.Equal(b.t, 137, reap(b.t, pid))
		b.must("delete", id)
	}},
	// `docker version` and `podman info`.
	{"--version", "", func(b *bench) {
		out, _, err := b.exec(exec.Command(b.bin, "--version"))
		require.NoError(b.t, err)
		require.Regexp(b.t, `^\S+ version \S+\n(.*\n)*spec: 1\.`, out)
	}},
}

// The expressions of podman (libpod/oci_util.go) and the words of dockerd 20.10 (daemon/errors.go) for 127 and for 126.
const (
	noProgram     = "(?i)executable file not found in|no such file or directory"
	notExecutable = "(?i)permission denied"
)

func TestContract(t *testing.T) {
	probetest.Need(t, "root", "peers")
	tools := probetest.Tools()
	// crun refuses a hybrid machine as long as the cgroup2 mount has a controller. It gets a mount namespace without that mount.
	crun := filepath.Join(t.TempDir(), "crun")
	require.NoError(t, os.WriteFile(crun, fmt.Appendf(nil, `#!/bin/sh
grep -q ' /sys/fs/cgroup/unified ' /proc/self/mountinfo || exec %[1]s/usr/bin/crun "$@"
exec unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified && exec "$0" "$@"' %[1]s/usr/bin/crun "$@"
`, tools), 0o755))
	for _, runtime := range [][2]string{{"hull-runc", hullRunc(t)}, {"runc", tools + "/usr/sbin/runc"}, {"crun", crun}} {
		t.Run(runtime[0], func(t *testing.T) {
			for _, row := range contract {
				if row.broken == runtime[0] {
					continue
				}
				t.Run(row.name, func(t *testing.T) {
					b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
					b.bin, b.env = runtime[1], probetest.ToolEnv()
					row.test(b)
				})
			}
		})
	}
}

// command is one command of the runtime, not yet started.
func (b *bench) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.bin, append([]string{"--root", b.root}, args...)...)
	cmd.Env = append(os.Environ(), b.env...)
	return cmd
}

// refuses is a command that has to fail, and what it says on standard error.
func (b *bench) refuses(args ...string) string {
	b.t.Helper()
	out, errs, err := b.run(args...)
	require.Error(b.t, err, out)
	return errs
}

// waiting is a container that is created and not started.
func (b *bench) waiting() (id string, pid int, out *os.File) {
	b.t.Helper()
	id = b.id("c")
	pid, out = b.create(id)
	return id, pid, out
}

// gone ends a container and removes it.
func (b *bench) gone(id string, pid int) {
	b.t.Helper()
	b.must("kill", id, "9")
	require.Equal(b.t, 137, reap(b.t, pid))
	b.must("delete", id)
}

// pipes are a standard input and a standard output, with our ends and theirs.
func (b *bench) pipes() (in, theirIn, theirOut, out *os.File) {
	theirIn, in, err := os.Pipe()
	require.NoError(b.t, err)
	out, theirOut, err = os.Pipe()
	require.NoError(b.t, err)
	b.t.Cleanup(func() {
		in.Close()
		out.Close()
	})
	return in, theirIn, theirOut, out
}
