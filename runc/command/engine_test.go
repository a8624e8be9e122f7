package command_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An engine is the command line of a real container engine, which can run its containers with hull-runc and with Debian's runc.
type engine struct {
	name   string
	prefix []string            // the command, up to its verb
	env    []string            //
	flags  map[string][]string // of `run`, by the runtime's name: hull and runc
	global map[string][]string // before the verb
	root   string              // whatever the engine makes is below it
	own    []string            // mounts that are its own, not a container's
	parent string              // the parent of the containers' cgroups
	states []string            // patterns of the directories of the runtimes' states
}

// A session is a shell script for one engine, run once with each runtime at the same time. `e VERB ARGS` runs the engine and shows what it
// printed and returned; $C is the name for a container. The two transcripts must be equal, and hold what is wanted.
type session struct {
	name   string
	only   string // an engine's name, or "" for all
	script string
	want   []string
}

var sessions = []session{
	{name: "run", script: `
e run --rm busybox sh -c 'echo out; echo err >&2; exit 7'
echo in | e run -i --rm -u 1000:5 --group-add 7 -w /tmp -e A=b busybox sh -c 'cat; id -u; id -G; pwd; echo $A'
e run --rm busybox nosuch
e run --rm busybox /etc/passwd
e run --rm busybox /bin
`, want: []string{"out\n! err\n= 7\n", "in\n1000\n5 7\n/tmp\nb\n= 0\n", "exec: \"nosuch\": executable file not found in $PATH", "= 127", "exec: \"/bin\": permission denied"}},

	{name: "confinement", script: `
e run --rm --read-only --tmpfs /t --cap-drop ALL --cap-add NET_ADMIN --security-opt no-new-privileges --ulimit nofile=333:444 --ulimit nproc=4096:4096 \
  --oom-score-adj 500 --sysctl kernel.shm_rmid_forced=1 --shm-size 1m -v /etc/hostname:/h:ro --device /dev/fuse busybox sh -c '
  touch /x /t/y; ls /t; touch /h; grep -E "^(Cap|NoNew|Seccomp:|Uid|Gid|Groups|SigBlk)" /proc/self/status; ulimit -n; ulimit -Hn
  cat /proc/self/oom_score_adj /proc/sys/kernel/shm_rmid_forced; df /dev/shm | tail -n1; ls /dev; for f in /proc/$$/fd/*; do readlink $f; done | sed "s/[0-9]*]/N]/"; env | sort; umask
  for f in /proc/kcore /proc/keys /proc/timer_list; do wc -c $f; done; echo x >/proc/sys/kernel/domainname; mount -t tmpfs t /t; unshare -U true'
`, want: []string{"CapEff:\t0000000000001000", "NoNewPrivs:\t1\nSeccomp:\t2\n", "\n333\n444\n500\n1\n", "! touch: /x: Read-only file system", "! mount: "}},

	{name: "life", script: `
e run -d --name $C -m 64m --memory-swap 128m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 33 busybox sleep 1000
limits $C
e exec $C sh -c 'echo in; cat /proc/1/comm; exit 9'
echo in | e exec -i -u 1000 -w /tmp -e A=b $C sh -c 'cat; id -u; pwd; echo $A'
e exec $C nosuch
e exec $C /etc/passwd
e exec -d $C sleep 2000
e top $C -o pid,args | sed 's/  *$//; s/^ *[0-9][0-9]* */PID /'
e pause $C
e inspect -f '{{.State.Status}}' $C
e exec $C true
e unpause $C
e inspect -f '{{.State.Status}}' $C
e stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' $C | sed 's/ [1-9][0-9.]*[kKM]i*B/ N/'
e restart -t 0 $C
e exec $C cat /proc/1/comm
e kill -s KILL $C
e wait $C
e inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' $C
e start $C
e rm -f $C
e inspect $C
`, want: []string{"memory.limit_in_bytes 67108864", "cpu.cfs_quota_us 50000", "cpuset.cpus 0", "pids.max 33", "in\nsleep\n= 9", "PID sleep 2000", "paused", " 2\n", " 137 false\n", "o such object"}},

	{name: "update", script: `
e run -d --name $C -m 64m --memory-swap 128m --cpus 0.5 busybox sleep 1000
e update -m 80m --memory-swap 160m --cpus 0.7 --cpuset-cpus 1 $C
limits $C
e rm -f $C
`, want: []string{"memory.limit_in_bytes 83886080", "memory.memsw.limit_in_bytes 167772160", "cpu.cfs_quota_us 70000", "cpuset.cpus 1"}},

	// The hook has moved the container's network namespace into the engine's hands by the time that create returns.
	{name: "bridge", only: "docker", script: `
e network create $C
network=$C
e run --rm busybox sh -c 'ip -o link show eth0 | grep -c LOWER_UP; ping -c 1 $(ip route | awk "/default/ { print \$3 }") >/dev/null && echo pong'
e network rm $C
`, want: []string{"1\npong\n= 0\n"}},

	// Not by dockerd, which would want its users in the machine's /etc/subuid.
	{name: "user namespace", only: "podman", script: `
e run -d --name $C --uidmap 0:100000:2000 --gidmap 0:200000:2000 busybox sleep 1000
e exec $C sh -c 'cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /x; ls -ln /x; grep CapEff /proc/self/status; ls -ln /dev/null; mount -t tmpfs t /tmp; cat /dev/null; echo $?'
e exec -u 1000 $C id
e kill $C
e wait $C
e rm $C
`, want: []string{"0     100000       2000", "0     200000       2000", "uid=1000(user)"}},

	{name: "systemd", only: "podman", script: `
e run --rm --systemd=always busybox sh -c 'grep -E " /(run|run/lock|tmp|var/log/journal) " /proc/self/mounts; env | grep -c container; touch /run/lock/x'
`, want: []string{"tmpfs /run/lock tmpfs rw,nosuid,nodev", "= 0\n"}},

	// Not by dockerd: it waits for 10 seconds, whatever the runtime.
	{name: "remove a paused one", only: "podman", script: `
e run -d --name $C busybox sleep 1000
e pause $C
e rm -f $C
`, want: []string{"+ pause BOX\nBOX\n= 0\n+ rm -f BOX\nBOX\n= 0\n"}},

	{name: "out of memory", script: `
e run --name $C -m 16m busybox dd if=/dev/zero of=/dev/null bs=64M count=1
e inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' $C
e rm $C
`, want: []string{"= 137\n", "\n137 "}},
}

// prelude is what the sessions' scripts use. limits shows, from outside, the files of all of a container's cgroups that set a limit.
const prelude = `
e() {
  echo "+ $*"
  engine "$@" >out 2>err
  code=$?
  cat out; sed 's/^/! /' err; echo "= $code"
}
limits() {
  while IFS=: read -r _ controllers path; do
    for dir in /sys/fs/cgroup/${controllers#name=}$path /sys/fs/cgroup/unified$path; do
      for f in memory.limit_in_bytes memory.memsw.limit_in_bytes memory.soft_limit_in_bytes memory.swappiness memory.max memory.swap.max memory.low \
          cpu.cfs_quota_us cpu.cfs_period_us cpu.shares cpu.max cpu.weight cpuset.cpus cpuset.mems pids.max blkio.throttle.read_bps_device devices.list; do
        [ ! -f $dir/$f ] || sort $dir/$f | sed "s/^/$f /"
      done
    done
  done </proc/$(engine inspect -f '{{.State.Pid}}' $1)/cgroup
}
`

// play runs the sessions, then one with a terminal, and looks after each for what is left.
func (e *engine) play(t *testing.T) {
	for _, s := range sessions {
		if s.only != "" && s.only != e.name {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			e.both(t, s.want, func(runtime string) string { return e.script(t, runtime, s.script) })
		})
	}
}

// both does something with the two runtimes at the same time, compares what they show, and looks for what is left afterwards.
func (e *engine) both(t *testing.T, wanted []string, do func(runtime string) string) {
	before := e.traces(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	all := map[string]string{}
	for runtime := range e.flags {
		wg.Go(func() {
			text := e.normal(do(runtime))
			mu.Lock()
			defer mu.Unlock()
			all[runtime] = text
		})
	}
	wg.Wait()
	for _, want := range wanted {
		require.Contains(t, all["runc"], want)
	}
	require.Equal(t, all["runc"], all["hull"], "- Debian's runc, + hull-runc")
	left := func() []string {
		return slices.DeleteFunc(e.traces(t), func(trace string) bool { return slices.Contains(before, trace) })
	}
	for i := 0; len(left()) > 0 && i < 200; i++ {
		time.Sleep(50 * time.Millisecond) // an engine's own monitor of a container outlives the command that removed it, a little
	}
	require.Empty(t, left(), "left")
}

// script runs a session's script and returns its transcript.
func (e *engine) script(t *testing.T, runtime, script string) string {
	words := strings.Join(append(slices.Clone(e.prefix), e.global[runtime]...), " ")
	run := "network=none\nengine() {\n  verb=$1\n  shift\n  [ $verb != run ] || set -- --network $network " + strings.Join(e.flags[runtime], " ") + ` "$@"` + "\n  " + words + ` $verb "$@"` + "\n}\n"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // an engine that hangs is a failure, with a transcript to read
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", run+prelude+script)
	cmd.Dir, cmd.Env = t.TempDir(), append(slices.Clone(e.env), "C="+e.container(runtime))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(&out, "the script: %v\n", err)
	}
	return out.String()
}

func (e *engine) container(runtime string) string { return "box-" + runtime }

var (
	containerID = regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{12})\b`)
	// Before the reason of a failure each runtime says in its own words what it was doing; crun and runc differ in this as well.
	doing = regexp.MustCompile(`(\S*/hull-runc: )?(hull-runc: )?runc\.[a-z.]+: exec: |(runc: )?(runc create failed|exec failed): unable to start container process: exec: `)
	// What may differ: runc of 2023 does not name this reason, and it lets every container use /dev/net/tun (10:200), which the specification's
	// list of default devices has not; the docker client says the last line or not, as its two requests end in this order or that.
	known = regexp.MustCompile(`is a directory: |devices.list c 10:200 rwm\n|! time=\S+ level=error msg="error waiting for container: context canceled"\n`)
)

// normal makes transcripts of two containers comparable.
func (e *engine) normal(text string) string {
	for _, runtime := range []string{"hull", "runc"} {
		text = strings.ReplaceAll(text, e.container(runtime), "BOX")
	}
	text = containerID.ReplaceAllString(text, "ID")
	text = doing.ReplaceAllString(text, "exec: ")
	return known.ReplaceAllString(text, "")
}

// traces are all that a container of this engine could leave: states, cgroups, mounts and processes. A namespace lives as long as one of the last
// two does.
func (e *engine) traces(t *testing.T) (found []string) {
	for _, pattern := range append(slices.Clone(e.states), "/sys/fs/cgroup/*/"+e.parent+"/*", "/sys/fs/cgroup/"+e.parent+"/*") {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, p := range paths {
			name := filepath.Base(p)
			if info, err := os.Lstat(p); err == nil && info.IsDir() && name != "conmon" && name != "cache:seccomp" { // kept for the next container
				found = append(found, p)
			}
		}
	}
	for line := range strings.Lines(read(t, "/proc/self/mountinfo")) {
		if point := strings.Fields(line)[4]; strings.HasPrefix(point, e.root+"/") && !slices.Contains(e.own, point) {
			found = append(found, "a mount: "+point)
		}
	}
	programs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, p := range programs {
		if line, err := os.ReadFile(p); err == nil && (bytes.Contains(line, []byte(e.root)) || bytes.Contains(line, []byte(built.path))) {
			found = append(found, p+": "+string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	slices.Sort(found)
	return found
}

// terminal runs a program with a terminal of 33 rows and types into it. The engine's own terminal is set to that size before; inside, the
// program waits for it: engines set it after the start.
func (e *engine) terminal(t *testing.T) {
	const script = `tty; until stty size 2>/dev/null | grep "33 77"; do sleep 0.05; done; trap "echo caught" INT; cat; echo ended $?; exit 5`
	wanted := []string{"33 77\nhello\nhello\n^C", "caught\nended 130\n= 5"}
	e.both(t, wanted, func(runtime string) string {
		argv := append(slices.Clone(e.prefix), e.global[runtime]...)
		argv = append(append(append(argv, "run", "--rm", "-it", "--network", "none"), e.flags[runtime]...), "busybox", "sh", "-c", script)
		return e.typed(t, argv)
	})
}

// typed runs a command on a terminal, types a line and ^C as soon as the program is there, and returns what was seen.
func (e *engine) typed(t *testing.T, argv []string) string {
	master, slave := openPTY(t)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = e.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return err.Error()
	}
	slave.Close()
	defer time.AfterFunc(time.Minute, func() { cmd.Process.Kill() }).Stop()
	var out bytes.Buffer
	buf := make([]byte, 1024)
	for _, step := range [][2]string{{"33 77", "hello\n"}, {"hello\r\nhello", "\x03"}} {
		for !strings.Contains(out.String(), step[0]) {
			n, err := master.Read(buf)
			if err != nil {
				return out.String() + err.Error()
			}
			out.Write(buf[:n])
		}
		master.WriteString(step[1])
	}
	io.Copy(&out, master) // ends with EIO when the other side is gone
	cmd.Wait()
	return fmt.Sprintf("%s= %d\n", strings.ReplaceAll(out.String(), "\r", ""), cmd.ProcessState.ExitCode())
}
