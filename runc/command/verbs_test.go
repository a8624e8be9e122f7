package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// same are commands that hull-runc and runc answer alike, in the order of a container's life: the exit code, and on success what is printed
// (pids and times apart). BUNDLE, ID and PROCESS stand for what the test has made; "!" commands fail.
var same = []string{
	"! state ID", "! start ID", "! kill ID", "! delete ID", "delete --force ID", "! pause ID", "! resume ID", "! ps ID", "! events --stats ID",
	"! exec ID true", "! update --memory 64m ID",
	"! create --bundle /nosuch ID", "! create ID", "! create", "! create --bundle BUNDLE ID extra",
	"create --bundle BUNDLE --pid-file PIDFILE ID",
	"! create --bundle BUNDLE ID", "! run --bundle BUNDLE ID",
	"state ID", "list", "list -q", "list --format json", "ps --format json ID", "! delete ID extra",
	"start ID", "! start ID", "! delete ID",
	"state ID", "list", "list -f table", "list --quiet", "! list --format xml",
	"ps ID", "ps ID -o pid,comm", "ps ID -e -o comm,pid", "! ps --format xml ID", "! ps ID -o comm",
	"exec ID sh -c 'exit 7'", "exec ID echo out", "exec -e X=y --cwd /tmp -u 1000:5 ID sh -c 'echo $X; pwd; id -u'", "exec --process PROCESS ID",
	"exec --no-new-privs -g 7 --cap CAP_NET_ADMIN ID grep -E 'NoNewPrivs|Groups' /proc/self/status", "! exec ID", "! exec ID nosuch",
	"update --memory 64m --memory-swap -1 ID", "update --cpu-share 512 --cpu-quota 50000 --cpu-period 100000 --pids-limit 50 ID",
	"! update --pids-limit x ID", "! update --memory 1x ID", "! update -r /nosuch ID", "! update --cpu-share -1 ID",
	"pause ID", "state ID", "list", "! exec ID true", "! pause ID extra", "! delete ID",
	"kill ID TERM", // pending until it runs again
	"resume ID", "! resume ID",
	"! kill ID NOSUCH", "! kill ID 999",
	"kill --all ID KILL", "WAIT",
	"state ID", "! kill ID KILL", "! exec ID true", "! start ID",
	"delete ID", "! delete ID", "list",
	"! --log-format xml list", "! kill", "! state", "! spec extra extra", "! exec", "! --nosuch list",
}

var (
	aTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	aPS   = regexp.MustCompile(`(?m)^(root +)PID.*(sleep .*)$`) // the columns that differ between two processes
)

func TestVerbsAsRunc(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sh", "-c", "trap '' TERM; exec sleep 1000"} })
	process := b.process(nil, "sh", "-c", "echo from a file")
	said := map[string][]string{}
	for _, runtime := range []string{"runc", "hull-runc"} {
		id, pidFile, pid := b.id("verbs"), t.TempDir()+"/pid", 0
		for _, line := range same {
			if line == "WAIT" {
				require.Equal(t, 137, reap(t, pid))
				continue
			}
			words := split(strings.NewReplacer("BUNDLE", b.bundle, "PIDFILE", pidFile, "PROCESS", process, "ID", id).Replace(strings.TrimPrefix(line, "! ")))
			out, errs, err := b.exec(b.as(runtime, words...))
			got := code(t, err)
			require.Equal(t, line[0] == '!', got != 0 && !strings.Contains(line, "exit 7"), "%s %s: %s", runtime, line, errs)
			if pid == 0 {
				if text, err := os.ReadFile(pidFile); err == nil {
					pid, err = strconv.Atoi(string(text))
					require.NoError(t, err)
				}
			}
			if got != 0 && !strings.Contains(line, "exit 7") {
				out = "" // usage texts differ
			}
			out = strings.ReplaceAll(aTime.ReplaceAllString(out, "TIME"), strconv.Itoa(pid), "PID")
			out = regexp.MustCompile(`\b\d{3,}\b`).ReplaceAllString(aPS.ReplaceAllString(out, "$1 $2"), "N")
			out = strings.NewReplacer(`"1.0.2-dev"`, `"1.0.2"`, "  ", " ").Replace(out)
			said[runtime] = append(said[runtime], fmt.Sprintf("%s → %d\n%s", line, got, strings.Join(strings.Fields(out), " ")))
		}
	}
	for i := range said["runc"] {
		require.Equal(t, said["runc"][i], said["hull-runc"][i])
	}
}

// split cuts a line into words; single quotes hold one together.
func split(line string) (words []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// bad is input for every flag that takes a value, and for those that cannot be had: each is refused by its name, before anything is made.
var bad = []struct{ command, want string }{
	{"--log-format xml list", "--log-format"},
	{"--rootless maybe list", "--rootless"},
	{"--systemd-cgroup list", "--systemd-cgroup"},
	{"create --bundle BUNDLE --preserve-fds x ID", "-preserve-fds"},
	{"create --bundle BUNDLE --preserve-fds -1 ID", "--preserve-fds"},
	{"create --bundle BUNDLE --pid-file /nosuch/pid ID", "/nosuch"},
	{"create --bundle BUNDLE --console-socket /nosuch/s ID", "--console-socket"},
	{"create --bundle BUNDLE --pidfd-socket /nosuch/s ID", "--pidfd-socket"},
	{"run --bundle BUNDLE --detach=maybe ID", "detach"},
	{"run --bundle BUNDLE --keep=x ID", "keep"},
	{"run --bundle BUNDLE --no-subreaper=x ID", "no-subreaper"},
	{"kill ID 0", "signal 0"},
	{"kill ID 65", "signal 65"},
	{"kill ID -- -1", "signal -1"},
	{"kill ID SIGNOSUCH", "unknown signal"},
	{"delete --force=x ID", "force"},
	{"list --format yaml", "--format"},
	{"ps --format yaml ID", "--format"},
	{"events --interval -1s ID", "interval"},
	{"events --interval x ID", "interval"},
	{"spec --bundle /nosuch", "/nosuch/config.json"},
	{"update --memory 1x ID", "-memory"},
	{"update --memory-swap x ID", "-memory-swap"},
	{"update --memory-reservation -2 ID", "-memory-reservation"},
	{"update --cpu-period -1 ID", "-cpu-period"},
	{"update --cpu-quota x ID", "-cpu-quota"},
	{"update --cpu-burst -1 ID", "-cpu-burst"},
	{"update --cpu-share x ID", "-cpu-share"},
	{"update --cpu-rt-period x ID", "-cpu-rt-period"},
	{"update --cpu-rt-runtime x ID", "-cpu-rt-runtime"},
	{"update --cpu-idle x ID", "-cpu-idle"},
	{"update --pids-limit 1.5 ID", "-pids-limit"},
	{"update --blkio-weight 70000 ID", "-blkio-weight"},
	{"update --l3-cache-schema L3:0=f ID", "Intel RDT"},
	{"update --mem-bw-schema MB:0=1 ID", "Intel RDT"},
	{"update --memory 1m --resources /dev/null ID", "--resources"},
	{"update --resources /nosuch ID", "/nosuch"},
	{"update --cpuset-cpus 0-99999 ID", "cpuset.cpus"},
	{"update --cpuset-mems 77 ID", "cpuset.mems"},
}

// badExec is the same for exec, whose own failures are 255.
var badExec = []struct{ command, want string }{
	{"exec --user root ID true", "--user"},
	{"exec --user 1:x ID true", "--user"},
	{"exec --user -1 ID true", "--user"},
	{"exec --additional-gids x ID true", "--additional-gids"},
	{"exec --additional-gids 4294967296 ID true", "--additional-gids"},

	{"exec --env novalue ID true", "process.env"},
	{"exec --cwd rel ID true", "process.cwd"},
	{"exec --process /nosuch ID", "/nosuch"},
	{"exec --process PROCESS ID true", "beside --process"},
	{"exec --preserve-fds -1 ID true", "--preserve-fds"},
	{"exec --preserve-fds 99 ID true", "--preserve-fds"},
	{"exec --console-socket /x ID true", "--console-socket"},
	{"exec --detach --tty ID true", "--console-socket"},
	{"exec --pidfd-socket /nosuch/s ID true", "--pidfd-socket"},
	{"exec --cgroup ../up ID true", `".." leads out`},
	{"exec --cgroup nosuch ID true", "--cgroup nosuch"},
	{"exec --cgroup nosuch:/ ID true", "no such controller"},
	{"exec --process-label x ID true", "process.selinuxLabel"},
	{"exec --apparmor x ID true", "process.apparmorProfile"},
}

func TestBadFlags(t *testing.T) {
	b, id, _ := running(t, nil)
	b.id("x") // the bundle's cgroup is not the running container's
	replace := strings.NewReplacer("BUNDLE", b.bundle, "PROCESS", b.process(nil, "true"))
	for _, row := range bad {
		name := "x"
		if strings.HasPrefix(row.command, "update") || strings.HasPrefix(row.command, "kill") {
			name = id
		}
		line := replace.Replace(row.command)
		words := split(strings.ReplaceAll(strings.ReplaceAll(line, " ID", " "+name), " -- ", " "))
		require.Contains(t, b.fails(words...), row.want, row.command)
	}
	for _, row := range badExec {
		words := split(strings.ReplaceAll(replace.Replace(row.command), " ID", " "+id))
		_, errs, got := b.exits(words[1:]...)
		require.Equal(t, 255, got, row.command)
		require.Contains(t, errs, row.want, row.command)
		require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	states, err := os.ReadDir(b.root)
	require.NoError(t, err)
	require.Len(t, states, 1)
}

// What is frozen dies when it is to: kill and delete thaw it first.
func TestFrozenEnds(t *testing.T) {
	for _, verbs := range [][]string{{"kill", "ID", "KILL"}, {"kill", "--all", "ID", "KILL"}, {"delete", "--force", "ID"}} {
		b := newBench(t, func(s *specs.Spec) { s.Process.Args = []string{"sleep", "1000"} })
		id := b.id("frozen")
		pid, _ := b.create(id)
		b.must("start", id)
		b.must("pause", id)
		words := append([]string{}, verbs...)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "ID", id)
		}
		b.must(words...)
		require.Equal(t, 137, reap(t, pid))
		b.must("delete", "--force", id)
	}
}

// A process that joins a paused container with --ignore-paused begins when the container is resumed.
func TestExecIgnoresPaused(t *testing.T) {
	b, id, _ := running(t, nil)
	b.must("pause", id)
	cmd := b.as("hull-runc", "exec", "--ignore-paused", id, "echo", "hi")
	out := b.temp()
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	for { // until it waits in the container's group
		if pids := b.must("ps", "--format", "json", id); strings.Count(pids, ",") > 0 {
			break
		}
	}
	require.Empty(t, contents(t, out))
	b.must("resume", id)
	require.NoError(t, cmd.Wait())
	require.Equal(t, "hi\n", contents(t, out))
}

// Without a pid namespace of its own a container's processes outlive the first one; they can still be killed, and delete ends them.
func TestOutlivingTheFirst(t *testing.T) {
	b := newBench(t, func(s *specs.Spec) {
		s.Linux.Namespaces = s.Linux.Namespaces[1:]
		s.Process.Args = []string{"sh", "-c", "sleep 1000 & sleep 1001 & exit 3"}
	})
	for _, verb := range []string{"kill", "delete"} {
		id := b.id("outliving")
		pid, _ := b.create(id)
		b.must("start", id)
		require.Equal(t, 3, reap(t, pid))
		require.Equal(t, specs.StateStopped, b.status(id).Status)
		var pids []int
		require.NoError(t, json.Unmarshal([]byte(b.must("ps", "--format", "json", id)), &pids))
		require.Len(t, pids, 2)
		require.Contains(t, b.fails("kill", id, "KILL"), "container not running")
		if verb == "kill" {
			b.must("kill", "--all", id, "KILL")
			require.Equal(t, 137, reap(t, pids[0]))
			require.Equal(t, 137, reap(t, pids[1]))
		}
		b.must("delete", id)
		for _, p := range pids {
			if verb == "delete" {
				require.Equal(t, 137, reap(t, p))
			}
			require.ErrorIs(t, unix.Kill(p, 0), unix.ESRCH)
		}
	}
}

// exec --cgroup joins a group below the container's, in one hierarchy or in all.
func TestExecInSubgroup(t *testing.T) {
	b, id, _ := running(t, nil)
	for _, h := range []string{"pids", "memory"} {
		require.NoError(t, os.Mkdir("/sys/fs/cgroup/"+h+"/"+id+"/sub", 0o755))
	}
	out, errs, got := b.exits("--cgroup", "pids:sub", id, "cat", "/proc/self/cgroup")
	require.Equal(t, 0, got, errs)
	require.Regexp(t, `:pids:/sub\n`, out)
	require.Regexp(t, `:memory:/\n`, out)
	out, errs, got = b.exits("--cgroup", "pids:sub", "--cgroup", "memory:/sub", id, "cat", "/proc/self/cgroup")
	require.Equal(t, 0, got, errs)
	require.Regexp(t, `:memory:/sub\n`, out)
	_, errs, got = b.exits("--cgroup", "sub", id, "true")
	require.Equal(t, 255, got, "not in all of them")
	require.Contains(t, errs, "--cgroup sub")
}
